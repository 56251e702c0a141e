"""Every way a job can end but well, and that the next one runs after it."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.simulation.conftest import (
    MEMORY_BYTES,
    TOTAL,
    A,
    B,
    Order,
    Sum,
    drive,
    golden_sum,
    rtl_sum,
    run,
)

from cortado.errors import CycleLimitError, DeadlockError, DeviceError, EngineError, SimulationError
from cortado.gateware.descriptor import ErrorCode
from cortado.gateware.register import Register, Status
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator

pytestmark = pytest.mark.rtlsim


def test_cycle_limit(simulator: Simulator) -> None:
    message = "engine: the job must end within 500 cycles, not go on; raise the limit (--max-cycles) if it should"
    with pytest.raises(CycleLimitError, match=f"^{re.escape(message)}$"):
        run(simulator, Sum(beats=1000, a=A, b=B, total=TOTAL), max_cycles=500)
    run(simulator, Sum(beats=10, a=A, b=B, total=TOTAL), max_cycles=500)


def test_deadlock_shows_every_channel(simulator: Simulator) -> None:
    with pytest.raises(DeadlockError) as caught:
        run(simulator, Sum(beats=10, a=A, b=B, total=TOTAL), Sum(beats=1, a=A, b=B, total=TOTAL, order=Order.HANG))
    first, *streams = str(caught.value).splitlines()
    assert re.fullmatch(r"simulation: a channel must move within 20064 cycles, not all stand still in cycle 2\d{4}",
                        first)
    assert streams == [
        # One burst of two descriptors, and one of each term; eight beats a descriptor, ten a term.
        "  m_axi_ar: valid=0 ready=1 transfers=3",
        "  m_axi_r: valid=0 ready=1 transfers=36",
        "  m_axi_aw: valid=0 ready=1 transfers=1",
        "  m_axi_w: valid=0 ready=0 transfers=10",
        "  m_axi_b: valid=0 ready=1 transfers=1",
    ]
    assert caught.value.streams["m_axi_w"] == {"valid": 0, "ready": 0, "transfers": 10}
    run(simulator, Sum(beats=1, a=A, b=B, total=TOTAL))


def test_slow_memory_is_no_deadlock(library: Callable[..., Path]) -> None:
    with Simulator(library(), MemoryModel(latency_cycles=10_000), MEMORY_BYTES) as simulator:
        counters = run(simulator, Sum(beats=1, a=A, b=B, total=TOTAL))
    assert counters.cycles > 20_000


def test_engine_error_and_recovery(simulator: Simulator, rng: np.random.Generator) -> None:
    message = r"engine: the job must end without error, not with error code 99 after \d+ cycles"
    with pytest.raises(EngineError, match=f"^{message}$"):
        run(simulator, Sum(beats=1, a=A, b=B, total=TOTAL, order=Order.FAIL, error=99))
    assert simulator.register_read(Register.STATUS) == Status.ERROR
    assert simulator.register_read(Register.ERROR) == 99
    a, b = rng.integers(0, 256, (2, 160), np.uint8)
    np.testing.assert_array_equal(rtl_sum(simulator, a, b), golden_sum(a, b, 16))
    assert simulator.register_read(Register.STATUS) == Status.DONE


def test_reset_keeps_memory(simulator: Simulator) -> None:
    simulator.memory_write(A, b"kept")
    simulator.reset()
    assert simulator.memory_read(A, 4).tobytes() == b"kept"


def test_data_left_over_is_an_error(simulator: Simulator) -> None:
    message = r"engine: the job must end without error, not with error code 11 \(left over\) after \d+ cycles"
    with pytest.raises(EngineError, match=f"^{message}$"):
        run(simulator, Sum(beats=20, a=A, b=B, total=TOTAL, order=Order.LEAVE))
    run(simulator, Sum(beats=20, a=A, b=B, total=TOTAL))


def test_failed_assertion_ends_the_job(simulator: Simulator, capfd: pytest.CaptureFixture) -> None:
    message = (r"simulation: the model must go on, not fail with 'order must be kept.*"
               r"Assertion failed in engine\.engine\.core: 'assert' failed\.'")
    with pytest.raises(SimulationError, match=f"^{message}$"):
        run(simulator, Sum(beats=1, a=A, b=B, total=TOTAL, order=Order.BREAK))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("order", "error", "burst"), [
    (Sum(beats=1, a=MEMORY_BYTES, b=B, total=TOTAL), "7 (activation read failed)",
     "activations: {}, not read 1 beats at 0x00100000"),
    (Sum(beats=40, a=A, b=MEMORY_BYTES - 16 * 16, total=TOTAL), "8 (weight read failed)",
     "weights: {}, not read 16 beats at 0x00100000"),
    (Sum(beats=3, a=A, b=B, total=0xFFFFF000), "5 (write failed)", "results: {}, not write 3 beats at 0xfffff000"),
    (Sum(beats=2, a=A + 8, b=B, total=TOTAL), "7 (activation read failed)",
     "activations: {}, not read 2 beats at 0x00020008"),
    (Sum(beats=9, a=A, b=B, total=TOTAL + 4096 - 128), "5 (write failed)",
     "results: {}, not write 9 beats at 0x00060f80"),
])
def test_burst_that_is_refused(simulator: Simulator, order: Sum, error: str, burst: str) -> None:
    rule = ("a burst must be at a multiple of 16 bytes, inside a page of 4096 bytes and inside the memory of 1048576 "
            "bytes")
    message = f"engine: the job must end without error, not with error code {error} after CYCLES cycles; {burst}"
    pattern = re.escape(message.format(rule)).replace("CYCLES", r"\d+")
    with pytest.raises(EngineError, match=f"^{pattern}$"):
        run(simulator, order)
    run(simulator, Sum(beats=3, a=A, b=B, total=TOTAL))


def test_burst_may_end_with_the_memory(simulator: Simulator) -> None:
    run(simulator, Sum(beats=2, a=MEMORY_BYTES - 32, b=0, total=MEMORY_BYTES - 32))


def test_descriptors_outside_memory(simulator: Simulator) -> None:
    message = (r"engine: the job must end without error, not with error code 6 \(descriptor read failed\) after \d+ "
               r"cycles; descriptors: .*, not read 8 beats at 0x00100000")
    with pytest.raises(EngineError, match=f"^{message}$"):
        drive(simulator, MEMORY_BYTES, 1)


@pytest.mark.parametrize(("address", "count", "first"), [
    (8, 1, Order.LAST),  # between two beats
    (0, 2**25, Order.LAST),  # more than 32-bit addresses hold
    (0, 1, Order.NONE),  # no descriptor is the last
    (0, 2, Order.LAST),  # one before the last is the last
])
def test_list_of_descriptors_that_is_none(simulator: Simulator, rng: np.random.Generator, address: int, count: int,
                                          first: Order) -> None:
    order = Sum(beats=1, a=A, b=B, total=TOTAL)
    simulator.memory_write(0, np.concatenate([replace(order, order=first).words, order.words]))
    message = r"engine: the job must end without error, not with error code 9 \(bad list\) after \d+ cycles"
    with pytest.raises(EngineError, match=f"^{message}$"):
        drive(simulator, address, count)
    a, b = rng.integers(0, 256, (2, 160), np.uint8)
    np.testing.assert_array_equal(rtl_sum(simulator, a, b), golden_sum(a, b, 16))


@pytest.mark.parametrize(("master", "burst", "error"), [
    ("descriptors", 0, "6 (descriptor read failed)"),
    ("activations", 0, "7 (activation read failed)"),
    ("activations", 5, "7 (activation read failed)"),
    ("weights", 3, "8 (weight read failed)"),
    ("results", 0, "5 (write failed)"),
    ("results", 6, "5 (write failed)"),
])
@pytest.mark.parametrize("stall_probability", [0.0, 0.5])
def test_memory_that_fails(library: Callable[..., Path], rng: np.random.Generator, master: str, burst: int,
                           error: str, stall_probability: float) -> None:
    """Nothing wrong is written, and the next job runs without a reset of the engine."""
    a, b = rng.integers(0, 256, (2, 100 * 16), np.uint8)
    model = MemoryModel(stall_probability=stall_probability, stall_seed=9)
    with Simulator(library(), model, MEMORY_BYTES) as simulator:
        for _ in range(2):
            total = golden_sum(a, b, 16)
            simulator.memory_write(TOTAL, ~total)
            simulator.fail_burst(master, burst)
            message = f"engine: the job must end without error, not with error code {error} after "
            with pytest.raises(EngineError, match=f"^{re.escape(message)}\\d+ cycles$"):
                rtl_sum(simulator, a, b)
            written = simulator.memory_read(TOTAL, a.nbytes)
            assert np.isin(written ^ total, [0, 255]).all()
            assert not simulator.memory_read(TOTAL + a.nbytes, 4096).any()
            np.testing.assert_array_equal(rtl_sum(simulator, a, b), total)


@pytest.mark.parametrize("cycles", [1, 20, 70, 90, 130, 180, 250])
def test_reset_in_the_middle_of_a_job(library: Callable[..., Path], rng: np.random.Generator, cycles: int) -> None:
    """The cycle limit ends a job by the reset register; the clock goes on, so the engine was not reset from outside."""
    a, b = rng.integers(0, 256, (2, 100 * 16), np.uint8)
    model = MemoryModel(stall_probability=0.2, stall_seed=cycles)
    with Simulator(library(), model, MEMORY_BYTES) as simulator:
        simulator.memory_write(A, a)
        simulator.memory_write(B, b)
        begin = simulator.cycle
        with pytest.raises(CycleLimitError):
            run(simulator, Sum(beats=100, a=A, b=B, total=TOTAL), max_cycles=cycles)
        assert simulator.cycle > begin + cycles
        assert simulator.register_read(Register.ERROR) == ErrorCode.ABORTED
        assert simulator.register_read(Register.STATUS) == Status.ERROR
        np.testing.assert_array_equal(rtl_sum(simulator, a, b), golden_sum(a, b, 16))


def test_job_has_a_descriptor(simulator: Simulator) -> None:
    with pytest.raises(DeviceError, match=r"^engine: a job must have at least one descriptor, not 0$"):
        drive(simulator, 0, 0)


def test_interrupt_ends_the_job_cleanly(simulator: Simulator, rng: np.random.Generator) -> None:
    orders = [Sum(beats=40_000, a=0, b=0, total=TOTAL)] * 1000
    begun = threading.Event()

    def interrupt() -> None:
        begun.wait(20)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(simulator, *orders, progress=lambda cycles: begun.set())
    thread.join()
    assert time.monotonic() - start < 5
    a, b = rng.integers(0, 256, (2, 160), np.uint8)
    np.testing.assert_array_equal(rtl_sum(simulator, a, b), golden_sum(a, b, 16))
