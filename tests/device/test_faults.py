"""Whatever goes wrong in a job, it ends with a code, nothing wrong is written, and the next job is right."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from cortado.device.driver import Driver
from cortado.device.simulated_transport import SimulatedTransport
from cortado.engines.job import Job
from cortado.engines.winograd import Winograd
from cortado.errors import CycleLimitError, EngineError
from cortado.gateware.descriptor import FIELD_NAMES, ErrorCode
from cortado.gateware.register import Control, Register, Status
from cortado.numerics.convolution import IntegerConvolution
from cortado.simulation.build import build_library
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator
from cortado.simulation.verilog import to_verilog

pytestmark = pytest.mark.rtlsim

MEMORY_BYTES = 2**20
DESCRIPTORS, SOURCE, WEIGHTS, TARGET = 0x10000, 0x20000, 0x30000, 0x40000
LIMIT_CYCLES = 300_000
LOOK_CYCLES = 40


class Bench:
    """An engine with one job in its memory."""

    def __init__(self, simulator: Simulator, job: Job, source: np.ndarray, expected: np.ndarray) -> None:
        self.simulator, self._job, self._source, self.expected = simulator, job, source, expected
        self.words = np.stack([descriptor.encode(job.configuration_hash) for descriptor in job.descriptors(
            input_address=SOURCE, weights_address=WEIGHTS, output_address=TARGET)])
        self.load()

    def load(self) -> None:
        """Puts everything in its place anew, and the opposite of the output where that will be."""
        self.simulator.memory_write(DESCRIPTORS, self.words)
        self.simulator.memory_write(SOURCE, self._job.source.pack(self._source))
        self.simulator.memory_write(WEIGHTS, self._job.weights)
        self.simulator.memory_write(TARGET, self._job.target.pack(~self.expected))

    def run(self, **options: int) -> int:
        """Runs the job; its cycles."""
        return Driver(SimulatedTransport.over(self.simulator)).run(DESCRIPTORS, len(self.words), **options).cycles

    def bursts(self, master: str) -> int:
        """How many bursts of a master the job has: the first number that none of them has."""
        for burst in range(10_000):
            self.load()
            self.simulator.fail_burst(master, burst)
            try:
                self.run(max_cycles=LIMIT_CYCLES)
            except EngineError:
                continue
            return burst
        raise AssertionError(f"{master}: a job must end when none of its bursts fails")

    @property
    def result(self) -> np.ndarray:
        """What the output holds."""
        return self._job.target.unpack(self.simulator.memory_read(TARGET, self._job.target.size_bytes))

    def check_next(self) -> None:
        """What has been written is right, and so is the job when it runs again."""
        assert np.isin(self.result ^ self.expected, [0, -1]).all(), "a value is neither the old nor the right one"
        self.load()
        self.run(max_cycles=LIMIT_CYCLES)
        np.testing.assert_array_equal(self.result, self.expected)
        assert self.simulator.register_read(Register.STATUS) == Status.DONE


@pytest.fixture(params=[0.0, 0.4])
def bench(request: pytest.FixtureRequest, simulator_tools: None, small_engine: Winograd, job: Job, source: np.ndarray,
          convolution: IntegerConvolution, naive: Callable[..., np.ndarray]) -> Iterator[Bench]:
    """With a memory that is always ready, and with one that stalls."""
    design = small_engine.design()
    library = build_library(design.configuration_hash, lambda: to_verilog(design.component()), design.beat_bits)
    model = MemoryModel(beat_bits=design.beat_bits, stall_probability=request.param, stall_seed=3)
    with Simulator(library, model, MEMORY_BYTES) as simulator:
        yield Bench(simulator, job, source, naive(convolution, source))


@pytest.mark.parametrize(("master", "code"), [
    ("descriptors", ErrorCode.DESCRIPTOR_READ_FAILED), ("activations", ErrorCode.ACTIVATION_READ_FAILED),
    ("weights", ErrorCode.WEIGHT_READ_FAILED), ("results", ErrorCode.WRITE_FAILED)])
def test_an_error_response_at_every_burst(bench: Bench, master: str, code: ErrorCode) -> None:
    name = code.name.lower().replace("_", " ")
    message = rf"^engine: the job must end without error, not with error code {code.value} \({name}\) after \d+ cycles$"
    bursts = bench.bursts(master)
    assert bursts >= 2, "there must be bursts that can fail"
    for burst in range(bursts):
        bench.load()
        bench.simulator.fail_burst(master, burst)
        with pytest.raises(EngineError, match=message):
            bench.run(max_cycles=LIMIT_CYCLES)
        assert bench.simulator.register_read(Register.ERROR) == code
        assert bench.simulator.register_read(Register.STATUS) == Status.ERROR
        bench.check_next()


def test_a_reset_at_any_time(bench: Bench) -> None:
    """The clock goes on from job to job: nothing but the reset register is used."""
    cycles = bench.run()
    rng = random.Random(4)
    # The driver looks and then resets, which takes a few cycles in which the job must not end by itself.
    for limit in [*range(1, 12), *(rng.randint(12, cycles - LOOK_CYCLES) for _ in range(30))]:
        bench.load()
        before = bench.simulator.cycle
        with pytest.raises(CycleLimitError):
            bench.run(max_cycles=limit)
        assert bench.simulator.cycle > before + limit
        assert bench.simulator.register_read(Register.ERROR) == ErrorCode.ABORTED
        bench.check_next()


def test_a_reset_while_idle_clears_the_error(bench: Bench) -> None:
    with pytest.raises(CycleLimitError):
        bench.run(max_cycles=20)
    bench.simulator.register_write(Register.CONTROL, Control.RESET)
    assert bench.simulator.register_read(Register.ERROR) == ErrorCode.NONE
    assert bench.simulator.register_read(Register.STATUS) == 0
    bench.check_next()


def test_fields_of_any_value(bench: Bench) -> None:
    """A descriptor that passes for a right one and is none ends in some way, and does no harm to the next job."""
    rng = random.Random(5)
    codes = set()
    for _ in range(80):
        words = bench.words.copy()
        row, field = rng.randrange(len(words)), rng.randrange(2, len(FIELD_NAMES))
        old = int(words[row, field])
        words[row, field] = rng.choice([0, 1, old + 1, max(old - 1, 0), 2 * old % 2**32, old ^ 1 << rng.randrange(32),
                                        rng.getrandbits(32), rng.randrange(64)])
        words[row, -1] = 0
        words[row, -1] = -int(words[row].sum(dtype=np.uint64)) % 2**32
        bench.simulator.memory_write(DESCRIPTORS, words)
        try:
            bench.run(max_cycles=LIMIT_CYCLES)
        except CycleLimitError as error:
            raise AssertionError(f"descriptor {row}, {FIELD_NAMES[field]} = {words[row, field]:#x}: no end") from error
        except EngineError:
            codes.add(bench.simulator.register_read(Register.ERROR))
            assert bench.simulator.register_read(Register.STATUS) == Status.ERROR
        bench.load()
        bench.run(max_cycles=LIMIT_CYCLES)
        np.testing.assert_array_equal(bench.result, bench.expected)
    assert ErrorCode.OUT_OF_RANGE in codes
