"""Pooling and addition on the generated Verilog: equal to golden to the bit, between convolutions, without a reset."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cortado.device.driver import Driver
from cortado.device.simulated_transport import SimulatedTransport
from cortado.engines.add_job import AddJob
from cortado.engines.device_job import DeviceJob
from cortado.engines.pooling_job import PoolingJob
from cortado.engines.winograd import Winograd
from cortado.errors import CycleLimitError, EngineError
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.descriptor import DESCRIPTOR_BYTES
from cortado.gateware.map_descriptor import MapFlag
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.pooling_mapping import PoolingMapping
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution
from cortado.numerics.elementwise_add import IntegerAdd
from cortado.numerics.pooling import IntegerPooling, PoolingKind
from cortado.simulation.build import build_library
from cortado.simulation.counters import Counters
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator
from cortado.simulation.verilog import to_verilog

pytestmark = pytest.mark.rtlsim

MEMORY_BYTES = 2**20
PAGE_BYTES = 4096
SMALL = {"m": 2, "beat_bits": 64, "largest_taps": 216, "tiles": 12, "buffer_words": 48, "block_columns": 8}
CONFIGURATIONS = {
    "everything": WinogradConfiguration(**SMALL, pc=2, pk=2, leaky=1, pooling=2, elementwise_add=1,
                                        pooling_row_beats=6),
    "maximum": WinogradConfiguration(**SMALL, pc=1, pk=1, pooling=1, pooling_row_beats=3),
    "addition": WinogradConfiguration(**SMALL, pc=1, pk=1, elementwise_add=1),
}


def numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Random or extreme int8."""
    return rng.choice([np.int8(-128), np.int8(127)], shape) if rng.random() < 0.2 else (
        rng.integers(-128, 128, shape).astype(np.int8))


@st.composite
def pooling_jobs(draw: st.DrawFn, configuration: WinogradConfiguration) -> PoolingJob:
    widest = configuration.pooling_row_beats * configuration.beat_bytes // configuration.pk
    size = (draw(st.integers(1, 14)), draw(st.integers(1, min(widest, 24))))
    kinds = list(PoolingKind) if configuration.pooling == 2 else [PoolingKind.MAX]
    kind = draw(st.sampled_from(kinds))
    factor = 1.0 if kind is PoolingKind.MAX else draw(st.floats(0.2, 4))
    if draw(st.integers(0, 4)) == 0:
        pooling = IntegerPooling(kind=kind, kernel=None, factor=factor)
    else:
        sides = [draw(st.sampled_from([(2, 2, 0), (3, 2, 0), (3, 1, 1), (3, 2, 1), (2, 1, 0), (1, 2, 0), (5, 2, 2),
                                       (7, 7, 0), (4, 3, 3)])) for _ in range(2)]
        kernel, stride, pad = zip(*sides, strict=True)
        assume(all(n + 2 * p >= k for n, k, p in zip(size, kernel, pad, strict=True)))
        round_up = draw(st.booleans())
        assume(any(pad) or not round_up
               or all(-(-(n - k) // s) * s < n for n, k, s in zip(size, kernel, stride, strict=True)))
        pooling = IntegerPooling(kind=kind, kernel=kernel, stride=stride, pad=pad, round_up=round_up, factor=factor)
    return PoolingJob(layer="pool", mapping=PoolingMapping(
        configuration=configuration, pooling=pooling, batch=draw(st.integers(1, 3)), channels=draw(st.integers(1, 5)),
        height=size[0], width=size[1]))


@st.composite
def add_jobs(draw: st.DrawFn, configuration: WinogradConfiguration) -> AddJob:
    layout = MapLayout(batch=draw(st.integers(1, 3)), channels=draw(st.integers(1, 5)), height=draw(st.integers(1, 12)),
                       width=draw(st.integers(1, 20)), lanes=configuration.pk, beat_bytes=configuration.beat_bytes)
    factors = draw(st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
    return AddJob(layer="add", configuration=configuration, source=layout,
                  addition=IntegerAdd.from_scale(factors, relu=draw(st.booleans())))


@st.composite
def convolution_jobs(draw: st.DrawFn, configuration: WinogradConfiguration) -> DeviceJob:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    filters, channels = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    relu = draw(st.booleans())
    slope = draw(st.integers(0, 255)) if relu and configuration.leaky else 0
    convolution = IntegerConvolution(
        weight=numbers(rng, (filters, channels, 3, 3)), bias=rng.integers(-2**12, 2**12, filters).astype(np.int32),
        multiplier=rng.integers(2**15, 2**16, filters).astype(np.uint16),
        shift=rng.integers(20, 27, filters).astype(np.uint8), pad=(1, 1, 1, 1), relu=relu, slope=slope)
    bottom = TensorShape((draw(st.integers(1, 2)), channels, draw(st.integers(1, 9)), draw(st.integers(1, 9))))
    return Winograd(configuration=configuration).job("conv", convolution, bottom)


@st.composite
def job_lists(draw: st.DrawFn, configuration: WinogradConfiguration, kinds: tuple) -> list[DeviceJob]:
    return [draw(draw(st.sampled_from(kinds))(configuration)) for _ in range(draw(st.integers(1, 4)))]


def memories(configuration: WinogradConfiguration) -> st.SearchStrategy[MemoryModel]:
    """Memories from ideal to slow and unsteady."""
    return st.builds(
        MemoryModel, latency_cycles=st.integers(1, 200), outstanding_bursts=st.integers(3, 16),
        beat_bits=st.just(configuration.beat_bits),
        stall_probability=st.just(0.0) | st.floats(0.0, 0.6, allow_subnormal=False), stall_seed=st.integers(0, 2**32))


def operands(job: DeviceJob, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The packed source, and what lies where the weights are."""
    def maps(layout: MapLayout) -> np.ndarray:
        return layout.pack(numbers(rng, (layout.batch, layout.channels, layout.height, layout.width)))

    if isinstance(job, AddJob):
        return maps(job.source), maps(job.source)
    if isinstance(job, PoolingJob):
        return maps(job.source), np.zeros(0, np.uint8)
    shape = job.shape
    return job.source.pack(numbers(rng, (shape.batch, shape.channels, shape.height, shape.width))), job.weights


def run_on(simulator: Simulator, job: DeviceJob, source: np.ndarray, weights: np.ndarray,
           rng: np.random.Generator, max_cycles: int = 1_000_000) -> tuple[np.ndarray, Counters]:
    """The bytes of the output; the memory is full of noise, and whatever is not the output must keep it."""
    parts = {"source": source, "weights": weights, "output": np.zeros(job.target_bytes, np.uint8),
             "descriptors": np.zeros(job.descriptor_count * DESCRIPTOR_BYTES, np.uint8)}
    places, end = {}, PAGE_BYTES
    for name, content in parts.items():
        # Anywhere in a page, so that bursts meet its end.
        first = end + 64 * int(rng.integers(PAGE_BYTES // 64))
        places[name] = slice(first, first + content.nbytes)
        end = -(-(first + content.nbytes) // PAGE_BYTES) * PAGE_BYTES + PAGE_BYTES
    parts["descriptors"] = np.concatenate([
        descriptor.encode(job.configuration_hash) for descriptor in job.descriptors(
            input_address=places["source"].start, weights_address=places["weights"].start,
            output_address=places["output"].start)]).view(np.uint8)
    before = rng.integers(0, 256, MEMORY_BYTES, np.uint8)
    for name in ("source", "weights", "descriptors"):
        before[places[name]] = parts[name]
    simulator.memory_write(0, before)
    counters = Driver(SimulatedTransport.over(simulator)).run(places["descriptors"].start, job.descriptor_count,
                                                            max_cycles=max_cycles)
    after = simulator.memory_read(0, MEMORY_BYTES)
    output = after[places["output"]].copy()
    after[places["output"]] = before[places["output"]]
    assert np.array_equal(after, before), "the engine wrote outside its output"
    return output, counters


def open_simulator(configuration: WinogradConfiguration, memory: MemoryModel) -> Simulator:
    """The engine of a configuration, built or found."""
    design = Winograd(configuration=configuration).design()
    library = build_library(design.configuration_hash, lambda: to_verilog(design.component()), design.beat_bits)
    return Simulator(library, memory, MEMORY_BYTES)


def check_jobs(configuration: WinogradConfiguration, memory: MemoryModel, jobs: list[DeviceJob], seed: int) -> None:
    rng = np.random.default_rng(seed)
    with open_simulator(configuration, memory) as simulator:
        for job in jobs:
            source, weights = operands(job, rng)
            output, counters = run_on(simulator, job, source, weights, rng)
            expected = np.zeros(job.target_bytes, np.uint8)
            job.write_result(source, weights, expected)
            np.testing.assert_array_equal(job.target.unpack(output), job.target.unpack(expected))
            assert (counters.idle["map"] > 0) == (counters.busy == 0), counters


def _draw(draw: st.DataObject, name: str) -> None:
    configuration = CONFIGURATIONS[name]
    kinds = (*[pooling_jobs] * 3 * bool(configuration.pooling), *[add_jobs] * 2 * bool(configuration.elementwise_add),
             convolution_jobs)
    check_jobs(configuration, draw.draw(memories(configuration)), draw.draw(job_lists(configuration, kinds)),
               draw.draw(st.integers(0, 2**32)))


def _examples(count: int) -> settings:
    # Building the engine in the first example is what the health checks would call too slow.
    return settings(derandomize=True, deadline=None, max_examples=count, suppress_health_check=list(HealthCheck))


# An engine takes a minute to build: without `slow`, the one with every unit is simulated.
SOME = ["everything", *(pytest.param(name, marks=pytest.mark.slow) for name in ("maximum", "addition"))]


@pytest.mark.parametrize("name", SOME)
@_examples(30)
@given(draw=st.data())
def test_jobs_of_all_kinds_back_to_back(simulator_tools, name, draw):
    _draw(draw, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGURATIONS)
@_examples(400)
@given(draw=st.data())
def test_many_jobs_of_all_kinds_back_to_back(simulator_tools, name, draw):
    _draw(draw, name)


FAULTY_JOBS = ("pool", "add")


def faulty_job(kind: str) -> DeviceJob:
    """A job of several bursts."""
    configuration = CONFIGURATIONS["everything"]
    if kind == "add":
        layout = MapLayout(batch=1, channels=4, height=12, width=20, lanes=2, beat_bytes=8)
        return AddJob(layer="add", configuration=configuration, source=layout,
                      addition=IntegerAdd.from_scale((0.7, -0.4)))
    pooling = IntegerPooling(kind=PoolingKind.AVERAGE, kernel=(3, 3), stride=(1, 1), pad=(1, 1))
    return PoolingJob(layer="pool", mapping=PoolingMapping(
        configuration=configuration, pooling=pooling, batch=1, channels=4, height=12, width=20))


def check_next_job(simulator: Simulator, job: DeviceJob, rng: np.random.Generator) -> None:
    source, weights = operands(job, rng)
    output, _ = run_on(simulator, job, source, weights, rng)
    expected = np.zeros(job.target_bytes, np.uint8)
    job.write_result(source, weights, expected)
    np.testing.assert_array_equal(output, expected)


@pytest.mark.parametrize(("kind", "master", "burst", "error"), [
    ("pool", "activations", 0, "7 (activation read failed)"),
    ("pool", "activations", 5, "7 (activation read failed)"),
    ("pool", "results", 0, "5 (write failed)"),
    ("pool", "results", 7, "5 (write failed)"),
    ("add", "activations", 3, "7 (activation read failed)"),
    ("add", "weights", 3, "8 (weight read failed)"),
    ("add", "results", 2, "5 (write failed)"),
])
def test_a_burst_that_fails(simulator_tools, rng, kind, master, burst, error):
    """Always a code, nothing but the output is written, and the next job is right."""
    configuration = CONFIGURATIONS["everything"]
    memory = MemoryModel(beat_bits=configuration.beat_bits, stall_probability=0.2, stall_seed=1)
    with open_simulator(configuration, memory) as simulator:
        for job in (faulty_job(kind), faulty_job(kind)):
            simulator.fail_burst(master, burst)
            message = f"engine: the job must end without error, not with error code {error} after "
            source, weights = operands(job, rng)
            with pytest.raises(EngineError, match=f"^{re.escape(message)}\\d+ cycles$"):
                run_on(simulator, job, source, weights, rng)
            check_next_job(simulator, job, rng)


@pytest.mark.parametrize("kind", FAULTY_JOBS)
@pytest.mark.parametrize("cycles", [60, 130, 150, 250, 400])
def test_a_reset_in_the_middle(simulator_tools, rng, kind, cycles):
    configuration, job = CONFIGURATIONS["everything"], faulty_job(kind)
    with open_simulator(configuration, MemoryModel(beat_bits=configuration.beat_bits)) as simulator:
        source, weights = operands(job, rng)
        with pytest.raises(CycleLimitError):
            run_on(simulator, job, source, weights, rng, max_cycles=cycles)
        check_next_job(simulator, job, rng)
        check_next_job(simulator, faulty_job(next(other for other in FAULTY_JOBS if other != kind)), rng)


@pytest.mark.parametrize("change", [{"output_run_beats": 1}, {"planes": 0}, {"kernel_rows": 0}, {"magic": 1},
                                    {"flags": MapFlag.POOL | MapFlag.ADD}])
def test_a_wrong_descriptor(simulator_tools, rng, monkeypatch, change):
    """What a corrupted field does is up to the decoder's bench; here the engine answers, and goes on."""
    configuration, job = CONFIGURATIONS["everything"], faulty_job("pool")
    right = PoolingJob.descriptors
    with open_simulator(configuration, MemoryModel(beat_bits=configuration.beat_bits)) as simulator:
        source, weights = operands(job, rng)
        with monkeypatch.context() as patch:
            patch.setattr(PoolingJob, "descriptors", lambda self, **addresses: [
                dataclasses.replace(descriptor, **change) for descriptor in right(self, **addresses)])
            with pytest.raises(EngineError, match=r"code (1 \(bad magic|4 \(out of range)\) after \d+ cycles$"):
                run_on(simulator, job, source, weights, rng)
        check_next_job(simulator, job, rng)


# Maps as in known networks, four pixels a beat. The start and the end of a short job are what its estimate misses.
ESTIMATED = [
    ((3, 3), (2, 2), (0, 0), (1, 8, 27, 23)),
    ((2, 2), (2, 2), (0, 0), (2, 6, 24, 24)),
    ((3, 3), (1, 1), (1, 1), (1, 8, 14, 14)),
    ((3, 3), (2, 2), (0, 0), (1, 8, 112, 20)),
    (None, (1, 1), (0, 0), (1, 64, 13, 13)),
]


@pytest.mark.parametrize(("kernel", "stride", "pad", "shape"), ESTIMATED)
def test_estimates_of_poolings(simulator_tools, rng, kernel, stride, pad, shape):
    configuration = CONFIGURATIONS["everything"]
    pooling = IntegerPooling(kind=PoolingKind.AVERAGE, kernel=kernel, stride=stride, pad=pad)
    batch, channels, height, width = shape
    job = PoolingJob(layer="pool", mapping=PoolingMapping(
        configuration=configuration, pooling=pooling, batch=batch, channels=channels, height=height, width=width))
    check_estimate(configuration, job, rng)


def test_estimate_of_an_addition(simulator_tools, rng):
    check_estimate(CONFIGURATIONS["everything"], faulty_job("add"), rng)


def check_estimate(configuration: WinogradConfiguration, job: DeviceJob, rng: np.random.Generator) -> None:
    with open_simulator(configuration, MemoryModel(beat_bits=configuration.beat_bits)) as simulator:
        _, counters = run_on(simulator, job, *operands(job, rng), rng)
    assert abs(job.estimate.cycles - counters.cycles) <= max(0.1 * counters.cycles, 100), (job.estimate, counters)
