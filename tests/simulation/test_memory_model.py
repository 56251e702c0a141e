"""The memory model: its legal range, and what it costs a job in cycles."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.simulation.conftest import BURST_BEATS, Order, Sum, drive

from cortado.errors import ConfigurationError
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator


def test_names_its_parameters() -> None:
    assert str(MemoryModel()) == "128-bit beats, 64 cycles latency, 16 bursts outstanding"
    assert str(MemoryModel(beat_bits=64, latency_cycles=1, outstanding_bursts=2, stall_probability=0.5, stall_seed=3)) \
        == "64-bit beats, 1 cycles latency, 2 bursts outstanding, stalls with probability 0.5 (seed 3)"


@pytest.mark.parametrize(("values", "rule"), [
    ({"latency_cycles": 0}, "latency_cycles must be from 1 to 10000, not 0"),
    ({"latency_cycles": 10_001}, "latency_cycles must be from 1 to 10000, not 10001"),
    ({"outstanding_bursts": 0}, "outstanding_bursts must be from 1 to 1024, not 0"),
    ({"beat_bits": 100}, "beat_bits must be one of 32, 64, 128, 256, 512, 1024, not 100"),
    ({"stall_probability": 1.0}, "stall_probability must be at least 0 and below 1, not 1.0"),
    ({"stall_probability": -0.1}, "stall_probability must be at least 0 and below 1, not -0.1"),
    ({"stall_seed": -1}, "stall_seed must be from 0 to 2**63 - 1, not -1"),
])
def test_legal_range(values: dict, rule: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^memory model: {re.escape(rule)}$"):
        MemoryModel(**values)


@pytest.fixture
def cycles(library: Callable[..., Path]) -> Callable[..., int]:
    """Cycles the stand-in takes for a sum of `beats` beats with a memory model."""

    def run(beats: int, **model) -> int:
        with Simulator(library(), MemoryModel(**model), 1 << 20) as simulator:
            simulator.memory_write(0, Sum(beats=beats, a=0x20000, b=0x40000, total=0x60000, order=Order.LAST).words)
            return drive(simulator, 0, 1).cycles

    return run


@pytest.mark.rtlsim
@pytest.mark.parametrize("beats", [1, 16, 40])
def test_latency_is_paid_once_to_read_and_once_to_write(cycles: Callable[..., int], beats: int) -> None:
    assert cycles(beats, latency_cycles=200) - cycles(beats, latency_cycles=64) == 2 * (200 - 64)


@pytest.mark.rtlsim
def test_all_masters_read_one_beat_a_cycle(cycles: Callable[..., int]) -> None:
    # A beat of the sum takes two beats of reading.
    assert cycles(2000) - cycles(1000) == 2 * 1000


@pytest.mark.rtlsim
@pytest.mark.parametrize("latency_cycles", [40, 64, 100])
def test_few_bursts_wait_for_the_latency(cycles: Callable[..., int], latency_cycles: int) -> None:
    # Two bursts in flight are one of each term, read beat by beat in turn; when one ends the next one is taken.
    def per_burst(bursts: int) -> int:
        return cycles(bursts * BURST_BEATS, latency_cycles=latency_cycles, outstanding_bursts=2)

    assert abs((per_burst(20) - per_burst(10)) / 10 - (latency_cycles + 2 * BURST_BEATS)) <= 2


@pytest.mark.rtlsim
def test_enough_bursts_hide_the_latency(cycles: Callable[..., int]) -> None:
    # 16 bursts of 16 beats are 256 cycles of reading: more than 200 cycles of latency, less than 400.
    def grown(latency_cycles: int) -> int:
        return cycles(2000, latency_cycles=latency_cycles) - cycles(1000, latency_cycles=latency_cycles)

    assert grown(200) == 2 * 1000
    assert grown(400) > 1.5 * 2 * 1000
