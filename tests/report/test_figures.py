"""How numbers are written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortado.report.figures import idle
from cortado.simulation.counters import Counters


def counted(busy: int, **causes: int) -> Counters:
    return Counters(cycles=busy + sum(causes.values()), busy=busy, **causes)


@pytest.mark.parametrize(("counters", "words"), [
    (Counters(), "-"),
    (counted(10), "0 %"),
    (counted(88, idle_weights=9, idle_input=3), "12 % (weights 9, input 3)"),
    # Three causes of a third of a percent each are one percent: it is shown, at the first of them.
    (counted(297, idle_setup=1, idle_input=1, idle_drain=1), "1 % (setup 1)"),
    (counted(1000, idle_setup=1), "0 %"),
    (counted(0, idle_input=5), "100 % (input 100)"),
    (counted(40, idle_setup=10, idle_input=15, idle_weights=11, idle_drain=12, idle_output=7, idle_finish=5),
     "60 % (input 15, drain 12, weights 11, setup 10, output 7, finish 5)"),
])
def test_idle_cycles_by_cause(counters, words):
    assert idle(counters) == words


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**5), min_size=5, max_size=5))
def test_the_causes_add_up(busy, cycles):
    names = ("idle_setup", "idle_input", "idle_weights", "idle_drain", "idle_output")
    counters = counted(busy, **dict(zip(names, cycles, strict=True)))
    words = idle(counters)
    if counters.cycles == 0:
        assert words == "-"
        return
    total, *shares = (int(number) for number in re.findall(r"\d+", words))
    assert total == sum(shares) == round(100 * sum(cycles) / counters.cycles)
    assert 0 not in shares
