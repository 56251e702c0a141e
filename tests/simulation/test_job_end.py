"""Every way a job can end but well, and that the next one runs after it."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable
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
    golden_sum,
    rtl_sum,
    run,
)

from cortado.errors import CycleLimitError, DeadlockError, SimulationError
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.register import Register
from cortado.simulation.simulator import Simulator

pytestmark = pytest.mark.rtlsim


def test_cycle_limit(simulator: Simulator) -> None:
    message = "simulation: the job must end within 500 cycles, not go on; raise the limit (--max-cycles) if it should"
    with pytest.raises(CycleLimitError, match=f"^{re.escape(message)}$"):
        run(simulator, Sum(beats=1000, a=A, b=B, total=TOTAL), max_cycles=500)
    run(simulator, Sum(beats=10, a=A, b=B, total=TOTAL), max_cycles=500)


def test_deadlock_shows_every_stream(simulator: Simulator) -> None:
    with pytest.raises(DeadlockError) as caught:
        run(simulator, Sum(beats=10, a=A, b=B, total=TOTAL), Sum(beats=1, a=A, b=B, total=TOTAL, order=Order.HANG))
    first, *streams = str(caught.value).splitlines()
    assert re.fullmatch(r"simulation: a stream must move within 20064 cycles, not all stand still after 2\d{4} cycles",
                        first)
    assert streams == [
        "  descriptor: valid=0 ready=0 transfers=64",
        "  activations_request: valid=0 ready=1 transfers=1",
        "  activations: valid=0 ready=0 transfers=10",
        "  weights_request: valid=0 ready=1 transfers=1",
        "  weights: valid=0 ready=0 transfers=10",
        "  results_request: valid=0 ready=1 transfers=1",
        "  results: valid=0 ready=0 transfers=10",
        "  results_response: valid=0 ready=1 transfers=1",
    ]
    assert caught.value.streams["activations"] == {"valid": 0, "ready": 0, "transfers": 10}


def test_slow_memory_is_no_deadlock(library: Callable[..., Path]) -> None:
    with Simulator(library(), MemoryModel(latency_cycles=10_000), MEMORY_BYTES) as simulator:
        counters = run(simulator, Sum(beats=1, a=A, b=B, total=TOTAL))
    assert counters.cycles > 20_000


def test_engine_error_and_recovery(simulator: Simulator, rng: np.random.Generator) -> None:
    message = r"engine: the job must end without error, not with error code 7 after \d+ cycles"
    with pytest.raises(SimulationError, match=f"^{message}$"):
        run(simulator, Sum(beats=1, a=A, b=B, total=TOTAL, order=Order.FAIL, error=7))
    assert simulator.register_read(Register.STATUS) == 0
    a, b = rng.integers(0, 256, (2, 160), np.uint8)
    np.testing.assert_array_equal(rtl_sum(simulator, a, b), golden_sum(a, b, 16))


def test_reset_keeps_memory(simulator: Simulator) -> None:
    simulator.memory_write(A, b"kept")
    simulator.reset()
    assert simulator.memory_read(A, 4).tobytes() == b"kept"


def test_data_left_over_is_an_error(simulator: Simulator) -> None:
    message = (r"engine: must stop being busy only when every burst is finished and every beat taken, not with "
               r"activations weights results left, after \d+ cycles")
    with pytest.raises(SimulationError, match=f"^{message}$"):
        run(simulator, Sum(beats=20, a=A, b=B, total=TOTAL, order=Order.LEAVE))


def test_failed_assertion_ends_the_job(simulator: Simulator, capfd: pytest.CaptureFixture) -> None:
    message = (r"simulation: the model must go on, not fail with 'order must be kept.*"
               r"Assertion failed in engine\.engine: 'assert' failed\.'")
    with pytest.raises(SimulationError, match=f"^{message}$"):
        run(simulator, Sum(beats=1, a=A, b=B, total=TOTAL, order=Order.BREAK))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("order", "burst"), [
    (Sum(beats=1, a=MEMORY_BYTES, b=B, total=TOTAL), "activations: {}, not read 1 beats at 0x00100000"),
    (Sum(beats=40, a=A, b=MEMORY_BYTES - 16 * 20, total=TOTAL), "weights: {}, not read 16 beats at 0x000fffc0"),
    (Sum(beats=3, a=A, b=B, total=MEMORY_BYTES - 32), "results: {}, not write 3 beats at 0x000fffe0"),
    (Sum(beats=2, a=A + 8, b=B, total=TOTAL), "activations: {}, not read 2 beats at 0x00020008"),
    (Sum(beats=2, a=0xFFFFFFF0, b=B, total=TOTAL), "activations: {}, not read 2 beats at 0xfffffff0"),
])
def test_burst_outside_memory(simulator: Simulator, order: Sum, burst: str) -> None:
    rule = "a burst must be 1 to 255 beats at a multiple of 16 bytes inside the memory of 1048576 bytes"
    with pytest.raises(SimulationError, match=f"^{re.escape(burst.format(rule))}, after \\d+ cycles$"):
        run(simulator, order)


def test_burst_may_end_with_the_memory(simulator: Simulator) -> None:
    run(simulator, Sum(beats=2, a=MEMORY_BYTES - 32, b=0, total=MEMORY_BYTES - 32))


def test_descriptors_outside_memory(simulator: Simulator) -> None:
    message = ("descriptors: a burst must be 1 to 255 beats at a multiple of 16 bytes inside the memory of 1048576 "
               "bytes, not read 8 beats at 0x00100000, after 1 cycles")
    with pytest.raises(SimulationError, match=f"^{message}$"):
        simulator.run(MEMORY_BYTES, 1)


def test_job_has_a_descriptor(simulator: Simulator) -> None:
    with pytest.raises(SimulationError, match=r"^simulation: a job must have at least one descriptor, not 0$"):
        simulator.run(0, 0)


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
