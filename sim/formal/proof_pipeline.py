"""The register between streams loses no item, makes none up, and gives them in order."""

from __future__ import annotations

from amaranth.hdl import Signal
from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.pipeline import StreamRegister

CASES = {"byte": {"shape": 8}}
STEPS = Steps(bounded=6, induction=2, reach=8)


def part(**case: int) -> StreamRegister:
    """The circuit of one case."""
    return StreamRegister(**case)


def claims(proof: Proof, *, shape: int) -> None:
    """Against a queue of two places, written down as plainly as can be."""
    m, step = proof.m, proof.part
    spare_valid = proof.inside("spare_valid")
    taken, given = step.i.valid & step.i.ready, step.o.valid & step.o.ready
    level, places = Signal(range(3)), [Signal(shape, name=f"place_{number}") for number in range(2)]
    left = level - given
    m.d.sync += level.eq(left + taken)
    with m.If(given):
        m.d.sync += places[0].eq(places[1])
    for number, item in enumerate(places):
        with m.If(taken & (left == number)):
            m.d.sync += item.eq(step.i.payload)
    proof.count(step.i, step.o, step.o.valid + spare_valid)
    proof.claim("holds_as_many", level == step.o.valid + spare_valid)
    proof.claim("takes_when_there_is_room", step.i.ready == (level < 2))
    proof.claim("gives_what_it_has", step.o.valid == (level != 0))
    proof.claim("gives_the_first", (level == 0) | (step.o.payload == places[0]))
    proof.claim("keeps_the_second", (level < 2) | (proof.inside("spare") == places[1]))
    proof.reach("full", level == 2)
    proof.reach("one_a_cycle", taken & given)
