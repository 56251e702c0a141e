"""The gate lets no more items pass than there are credits, and all of them come back."""

from __future__ import annotations

from amaranth.hdl import Signal
from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.credit_gate import CreditGate

CASES = {"two": {"shape": 2, "credits": 2}, "seven": {"shape": 2, "credits": 7}}
STEPS = Steps(bounded=6, induction=3, reach=12)


def part(**case: int) -> CreditGate:
    """The circuit of one case."""
    return CreditGate(**case)


def claims(proof: Proof, *, shape: int, credits: int) -> None:
    """A credit comes back for an item that has passed."""
    m, gate = proof.m, proof.part
    passes, behind = gate.o.valid & gate.o.ready, Signal(range(2 * credits + 2))
    m.d.sync += behind.eq(behind + passes - gate.back)
    proof.assume("only_what_has_passed_comes_back", ~gate.back | (behind != 0))
    left, opens, came_back = (proof.inside(name) for name in ("left", "opens", "came_back"))
    proof.claim("credits_are_counted", left + came_back + behind == credits)
    proof.claim("an_open_gate_has_a_credit", ~opens | (left != 0))
    proof.claim("no_more_than_credits", ~passes | (behind < credits))
    proof.claim("room_for_what_passes", behind <= credits)
    proof.claim("what_comes_in_goes_out", (gate.i.valid & gate.i.ready) == passes)
    proof.claim("unchanged", gate.o.payload == gate.i.payload)
    proof.reach("used_up", left == 0)
    proof.reach("opens_again", opens & (behind == credits - 1))
