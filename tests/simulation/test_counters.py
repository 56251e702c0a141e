"""What an engine counted."""

from __future__ import annotations

import pytest

from cortado.errors import SimulationError
from cortado.simulation.counters import Counters


def test_idle_by_cause() -> None:
    counters = Counters(cycles=10, busy=4, idle_input=5, idle_drain=1)
    assert counters.idle == {"setup": 0, "input": 5, "weights": 0, "drain": 1, "output": 0, "hazard": 0, "finish": 0,
                             "map": 0}


def test_jobs_add_up() -> None:
    first = Counters(cycles=10, busy=4, idle_input=5, idle_drain=1)
    second = Counters(cycles=3, busy=1, idle_input=2)
    assert first + second == Counters(cycles=13, busy=5, idle_input=7, idle_drain=1)
    assert first + Counters() == first


def test_every_cycle_has_one_reason() -> None:
    message = r"^engine counters: busy \+ idle cycles must be the 10 cycles of the job, not 9$"
    with pytest.raises(SimulationError, match=message):
        Counters(cycles=10, busy=4, idle_input=5)
