"""The proofs themselves: what is wrong is refuted, by name, and what cannot happen is found out."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Stage(wiring.Component):
    """A registered stage with one flaw, or none."""

    def __init__(self, flaw: str) -> None:
        self._flaw = flaw
        super().__init__({"i": In(stream.Signature(unsigned(2))), "o": Out(stream.Signature(unsigned(2)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        valid = Signal()
        moves = ~valid | self.o.ready
        m.d.comb += [self.o.valid.eq(valid), self.i.ready.eq(moves)]
        with m.If(moves):
            m.d.sync += [valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        with m.Else():
            if self._flaw == "withdraws":
                m.d.sync += valid.eq(0)
            if self._flaw == "changes":
                m.d.sync += self.o.payload.eq(self.i.payload)
        if self._flaw == "waits":
            m.d.comb += self.o.valid.eq(valid & self.o.ready)
        if self._flaw == "loses":
            m.d.comb += self.i.ready.eq(1)
        return m


@pytest.fixture
def try_stage(prove_part: Callable, formal_module: Callable[[str], ModuleType]) -> Callable:
    """Tries the claims of a pipeline of one stage."""
    steps = formal_module("steps").Steps(bounded=6, induction=2, reach=6)
    return lambda flaw: prove_part(Stage(flaw), lambda proof: proof.pipeline(), steps)


def test_a_stage_without_a_flaw_passes(try_stage: Callable) -> None:
    outcome = try_stage("none")
    assert (outcome.failed, outcome.unreached, outcome.inductive) == ((), (), True)


@pytest.mark.parametrize(("flaw", "claim"), [
    ("withdraws", "o_stays"),
    ("changes", "o_stays"),
    ("loses", "what_comes_in_goes_out"),
])
def test_a_flaw_is_refuted_by_name(try_stage: Callable, flaw: str, claim: str) -> None:
    outcome = try_stage(flaw)
    assert claim in outcome.failed
    assert not outcome.inductive


def test_an_offer_that_waits_for_its_answer_is_found(try_stage: Callable) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"Assertion failed: selection is not empty: .*o__ready"):
        try_stage("waits")


def test_assumptions_that_leave_nothing_are_found(prove_part: Callable,
                                                  formal_module: Callable[[str], ModuleType]) -> None:
    part = Stage("withdraws")
    outcome = prove_part(part, lambda proof: proof.assume("nothing_comes", ~part.i.valid),
                         formal_module("steps").Steps(bounded=6, induction=2, reach=6))
    assert outcome.failed == ()
    assert set(outcome.unreached) == {"i_taken", "o_taken_late"}
