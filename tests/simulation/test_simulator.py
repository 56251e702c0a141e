"""A simulated engine: registers, memory and jobs that end well."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.simulation.conftest import (
    CONFIGURATION_HASH,
    IDENTITY,
    MEMORY_BYTES,
    TOTAL,
    A,
    B,
    Sum,
    golden_sum,
    rtl_sum,
    run,
)

from cortado.errors import SimulationError
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.register import Control, Interrupt, Register, Status, counter_registers
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator

pytestmark = pytest.mark.rtlsim


def test_registers_read_back(simulator: Simulator) -> None:
    assert simulator.register_read(Register.IDENTITY) == IDENTITY
    assert simulator.register_read(Register.HASH_LOW) == CONFIGURATION_HASH % 2**32
    assert simulator.register_read(Register.HASH_HIGH) == CONFIGURATION_HASH >> 32
    assert simulator.register_read(Register.STATUS) == 0
    assert simulator.register_read(Register.CONTROL) == 0
    simulator.register_write(Register.DESCRIPTOR_COUNT, 0xFFFFFFFF)
    assert simulator.register_read(Register.DESCRIPTOR_COUNT) == 0xFFFFFFFF


@pytest.mark.parametrize("offset", [0x28, 0x3C, counter_registers(COUNTER_NAMES[-1])[1] + 4])
def test_register_that_is_not_there(simulator: Simulator, offset: int) -> None:
    message = f"register {offset:#04x}: must be one that can be read, not refuse with 'SLVERR'"
    with pytest.raises(SimulationError, match=f"^{message}$"):
        simulator.register_read(offset)


def test_register_beyond_the_port(simulator: Simulator) -> None:
    with pytest.raises(SimulationError, match=r"^register 0x1000: must be one that can be read, not refuse with "
                                              r"'DECERR'$"):
        simulator.register_read(0x1000)


def test_register_that_cannot_be_written(simulator: Simulator) -> None:
    message = "register 0x10: must accept 0x1, not refuse with 'SLVERR'"
    with pytest.raises(SimulationError, match=f"^{message}$"):
        simulator.register_write(Register.STATUS, 1)


@pytest.mark.parametrize("value", [-1, 2**32])
def test_register_is_32_bits(simulator: Simulator, value: int) -> None:
    with pytest.raises(SimulationError, match=f"^register 0x18: must be written with 32 bits, not {value:#x}$"):
        simulator.register_write(Register.DESCRIPTOR_ADDRESS, value)


def test_start_while_busy(simulator: Simulator) -> None:
    simulator.register_write(Register.DESCRIPTOR_COUNT, 1)
    simulator.register_write(Register.CONTROL, Control.START)
    assert simulator.register_read(Register.STATUS) == Status.BUSY
    message = "register 0x0c: must accept 0x1, not refuse with 'SLVERR'"
    with pytest.raises(SimulationError, match=f"^{message}$"):
        simulator.register_write(Register.CONTROL, Control.START)


def test_interrupts(simulator: Simulator) -> None:
    run(simulator, Sum(beats=1, a=A, b=B, total=TOTAL))
    assert simulator.register_read(Register.INTERRUPT_ENABLE) == Interrupt.DONE | Interrupt.ERROR
    assert simulator.register_read(Register.INTERRUPT_STATUS) == 0, "the driver takes note of it"


def test_memory_starts_as_zeros_and_keeps_what_is_written(simulator: Simulator, rng: np.random.Generator) -> None:
    assert not simulator.memory_read(0, MEMORY_BYTES).any()
    words = rng.integers(-2**31, 2**31, (3, 5), np.int32)
    simulator.memory_write(17, words.T)
    assert simulator.memory_read(17, 60).tobytes() == words.T.tobytes()
    simulator.memory_write(MEMORY_BYTES - 3, b"end")
    assert simulator.memory_read(MEMORY_BYTES - 4, 4).tobytes() == b"\0end"


@pytest.mark.parametrize(("address", "count"), [(MEMORY_BYTES, 1), (MEMORY_BYTES - 3, 4), (-1, 1), (2**40, 8)])
def test_memory_that_is_not_there(simulator: Simulator, address: int, count: int) -> None:
    where = f"{count} bytes at {address:#010x}"
    with pytest.raises(SimulationError, match=f"^memory: must read inside its 1048576 bytes, not {where}$"):
        simulator.memory_read(address, count)
    with pytest.raises(SimulationError, match=f"^memory: must write inside its 1048576 bytes, not {where}$"):
        simulator.memory_write(address, bytes(count))


@pytest.mark.parametrize("beat_bits", [64, 128])
@pytest.mark.parametrize("beats", [1, 15, 16, 17, 300])
def test_sum_equals_golden(library: Callable[..., Path], rng: np.random.Generator, beat_bits: int, beats: int) -> None:
    a, b = rng.integers(0, 256, (2, beats * beat_bits // 8), np.uint8)
    with Simulator(library(beat_bits), MemoryModel(beat_bits=beat_bits), MEMORY_BYTES) as simulator:
        np.testing.assert_array_equal(rtl_sum(simulator, a, b), golden_sum(a, b, beat_bits // 8))


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", [1, 2])
def test_sum_equals_golden_under_stalls(library: Callable[..., Path], rng: np.random.Generator, probability: float,
                                        seed: int) -> None:
    a, b = rng.integers(0, 256, (2, 100 * 16), np.uint8)
    model = MemoryModel(stall_probability=probability, stall_seed=seed)
    with Simulator(library(), model, MEMORY_BYTES) as simulator:
        np.testing.assert_array_equal(rtl_sum(simulator, a, b), golden_sum(a, b, 16))


def test_stalls_repeat_from_their_seed(library: Callable[..., Path]) -> None:
    def cycles(seed: int) -> int:
        with Simulator(library(), MemoryModel(stall_probability=0.3, stall_seed=seed), MEMORY_BYTES) as simulator:
            return run(simulator, Sum(beats=200, a=A, b=B, total=TOTAL)).cycles

    assert cycles(1) == cycles(1)
    assert len({cycles(seed) for seed in range(5)}) > 1


def test_jobs_back_to_back(simulator: Simulator, rng: np.random.Generator) -> None:
    for beats in (40, 3):
        a, b = rng.integers(0, 256, (2, beats * 16), np.uint8)
        np.testing.assert_array_equal(rtl_sum(simulator, a, b), golden_sum(a, b, 16))
        assert simulator.register_read(counter_registers("busy")[0]) == beats
        assert simulator.register_read(Register.STATUS) == Status.DONE


def test_several_descriptors_are_one_job(simulator: Simulator, rng: np.random.Generator) -> None:
    data = rng.integers(0, 256, 100 * 16, np.uint8)
    simulator.memory_write(A, data)
    # Each doubles what the one before it has written.
    places = [A, *(TOTAL + 0x1000 * step for step in range(5))]
    counters = run(simulator, *(Sum(beats=100, a=source, b=source, total=target)
                                for source, target in pairwise(places)))
    expected = data
    for _ in range(5):
        expected = golden_sum(expected, expected, 16)
    np.testing.assert_array_equal(simulator.memory_read(places[-1], 1600), expected)
    assert counters.busy == 500


def test_counters_match_the_registers(simulator: Simulator) -> None:
    counters = run(simulator, Sum(beats=30, a=A, b=B, total=TOTAL))
    assert counters.busy == 30
    assert counters.cycles == 30 + counters.idle_input
    assert simulator.register_read(Register.COUNTERS) == counters.cycles
    assert simulator.register_read(Register.COUNTERS + 8) == 30


def test_two_simulators_in_one_process(library: Callable[..., Path], rng: np.random.Generator) -> None:
    a, b = rng.integers(0, 256, (2, 50 * 16), np.uint8)
    with (Simulator(library(64), MemoryModel(beat_bits=64), MEMORY_BYTES) as narrow,
          Simulator(library(128), MemoryModel(), MEMORY_BYTES) as wide):
        np.testing.assert_array_equal(rtl_sum(wide, a, b), golden_sum(a, b, 16))
        np.testing.assert_array_equal(rtl_sum(narrow, a, b), golden_sum(a, b, 8))
        assert wide.register_read(counter_registers("busy")[0]) == 50
        assert narrow.register_read(counter_registers("busy")[0]) == 100


def test_progress_counts_up(simulator: Simulator) -> None:
    seen = []
    counters = run(simulator, *[Sum(beats=40_000, a=0, b=0, total=TOTAL)] * 100, progress=seen.append)
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= counters.cycles


def test_closed_simulator(library: Callable[..., Path]) -> None:
    with Simulator(library(), MemoryModel(), MEMORY_BYTES) as simulator:
        pass
    simulator.close()
    for use in (lambda: simulator.memory_read(0, 1), lambda: simulator.register_read(0),
                lambda: simulator.wait_interrupt(0), simulator.reset):
        with pytest.raises(SimulationError, match=r"^simulator: must be open to be used, not closed$"):
            use()


def test_beats_must_fit_the_engine(library: Callable[..., Path]) -> None:
    message = "simulator: the memory model must have the engine's 128-bit beats, not 64-bit beats"
    with pytest.raises(SimulationError, match=f"^{message}$"):
        Simulator(library(), MemoryModel(beat_bits=64), MEMORY_BYTES)


@pytest.mark.parametrize("memory_bytes", [0, -1, 2**32 + 1])
def test_memory_must_be_addressable(library: Callable[..., Path], memory_bytes: int) -> None:
    message = f"simulator: memory must be 1 to 2**32 bytes, not {memory_bytes}"
    with pytest.raises(SimulationError, match=f"^{re.escape(message)}$"):
        Simulator(library(), MemoryModel(), memory_bytes)


def test_library_must_be_ours(tmp_path: Path) -> None:
    (tmp_path / "engine.so").write_text("no library")
    message = f"simulator library '{tmp_path / 'engine.so'}': must be one built by cortado, not refuse with '.*'"
    with pytest.raises(SimulationError, match=f"^{message}$"):
        Simulator(tmp_path / "engine.so", MemoryModel(), MEMORY_BYTES)
