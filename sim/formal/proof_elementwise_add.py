"""The addition takes a beat of each operand for each beat of the sum."""

from __future__ import annotations

from amaranth.hdl import Signal
from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.elementwise_add import ElementwiseAdd

CASES = {"one_byte": {"beat_bits": 8}}
STEPS = Steps(bounded=4, induction=3, reach=10)


def part(**case: int) -> ElementwiseAdd:
    """The circuit of one case."""
    return ElementwiseAdd(**case)


def claims(proof: Proof, *, beat_bits: int) -> None:
    """Operands are counted outside as well."""
    m, add = proof.m, proof.part
    proof.assume("commands_add_something", add.command.payload.beats != 0)
    ahead = Signal()
    m.d.sync += ahead.eq(ahead ^ (add.i_first.valid & add.i_first.ready) ^ (add.i_second.valid & add.i_second.ready))
    proof.claim("operands_take_turns", ahead == proof.inside("second"))
    proof.claim("one_operand_at_a_time", ~(add.i_first.ready & add.i_second.ready))
    proof.count(add.i_second, add.o, proof.inside("valid") + proof.inside("shifted_valid") + add.o.valid)
    proof.reach("job_of_two_beats", add.command.valid & add.command.ready & (add.command.payload.beats == 2))
