"""The whole engine against `IntegerConvolution.golden` and against plain loops, with a memory in Python."""

from __future__ import annotations

import dataclasses
import itertools
import random
from dataclasses import dataclass
from fractions import Fraction

import cocotb
import numpy as np
from benches.case import CASES
from benches.memory import Memory
from benches.number import int8_numbers
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase
from numpy.typing import NDArray

from cortado.gateware.blocking import Blocking
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.descriptor import Descriptor, ErrorCode, Flag
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.weight_packing import pack_weights
from cortado.gateware.winograd_engine import IDENTITY, WinogradEngine
from cortado.numerics.convolution import IntegerConvolution

MEMORY_BYTES = 1 << 14
REGION_BYTES = MEMORY_BYTES // 4
SOURCE, WEIGHTS, TARGET = REGION_BYTES, 2 * REGION_BYTES, 3 * REGION_BYTES
LATENCY_CYCLES = 20
LIMIT_CYCLES = 20_000


@dataclass(frozen=True, kw_only=True)
class Job:
    """One layer and the blocks it is cut into: of all its planes and filters, where nothing else is said."""

    batch: int = 1
    channels: int
    filters: int
    height: int = 1
    width: int
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    group: int = 1
    relu: bool = False
    pointwise: bool = False
    rows: int = 1
    columns: int
    planes_at_once: int | None = None
    filters_at_once: int | None = None

    @property
    def shape(self) -> ConvolutionShape:
        """As the blocking knows it."""
        return ConvolutionShape(batch=self.batch, channels=self.channels, filters=self.filters, height=self.height,
                                width=self.width, pad=self.pad, kernel=self.kernel, stride=self.stride,
                                dilation=self.dilation, group=self.group)

    def blocking(self, configuration: WinogradConfiguration) -> Blocking:
        """How an engine runs it."""
        def cut(planes: int, filters: int) -> Blocking:
            return Blocking(configuration=configuration, shape=self.shape, pointwise=self.pointwise, rows=self.rows,
                            columns=self.columns, planes_at_once=planes, filters_at_once=filters)

        whole = cut(1, 1)
        result = cut(self.planes_at_once or whole.planes(0), self.filters_at_once or whole.filter_blocks(0))
        assert result.block_words <= configuration.buffer_words, f"{self}: a block of {result.block_words} words"
        return result


# Odd sizes, more and fewer channels than lanes, pads on some sides only, several blocks in both directions; blocks of
# which two fit in the buffer and blocks of which only one does; more results than a slow memory takes, with the next
# block's right behind them.
JOBS = (
    Job(channels=5, filters=3, height=9, width=13, pad=(1, 1, 1, 1), relu=True, rows=2, columns=4),
    Job(batch=2, channels=1, filters=1, height=1, width=1, pad=(1, 1, 1, 1), rows=1, columns=1),
    Job(batch=2, channels=3, filters=2, height=5, width=4, pad=(0, 2, 1, 0), rows=1, columns=2),
    Job(channels=8, filters=2, height=6, width=10, pad=(2, 0, 2, 2), relu=True, rows=1, columns=4),
    Job(channels=1, filters=8, height=31, width=8, pad=(1, 1, 1, 1), rows=1, columns=4),
)
# Pointwise blocks; a kernel in four views, with a stride; views that are all padding; gaps between the taps; groups;
# sums that wait for other channels, of either kind of tiles.
GENERAL_JOBS = (
    Job(channels=5, filters=3, width=150, kernel=(1, 1), pointwise=True, relu=True, columns=2),
    Job(channels=3, filters=3, height=9, width=8, kernel=(5, 4), stride=(2, 1), pad=(2, 1, 1, 2), columns=4),
    Job(channels=2, filters=1, height=2, width=2, kernel=(7, 7), pad=(3, 3, 3, 3), columns=1),
    Job(channels=2, filters=2, height=7, width=11, kernel=(2, 3), stride=(1, 3), dilation=(3, 2), pad=(0, 1, 2, 0),
        columns=2),
    Job(channels=4, filters=4, height=6, width=6, pad=(1, 1, 1, 1), group=2, relu=True, rows=2, columns=3),
    Job(channels=7, filters=3, height=6, width=6, pad=(1, 1, 1, 1), rows=2, columns=3, planes_at_once=2,
        filters_at_once=1),
    Job(channels=7, filters=3, width=40, kernel=(1, 1), pointwise=True, columns=3, planes_at_once=1,
        filters_at_once=2),
)


def part(**case: int) -> WinogradEngine:
    """The circuit of one case."""
    return WinogradEngine(WinogradConfiguration(**case))


def naive_layer(convolution: IntegerConvolution, x: NDArray[np.int8]) -> NDArray[np.int8]:
    """One multiplication at a time."""
    top, bottom, left, right = convolution.pad
    (down, across), (apart, beside) = convolution.stride, convolution.dilation
    count, _, height, width = x.shape
    filters, channels, rows, columns = convolution.weight.shape
    result = np.zeros((count, filters, (height + top + bottom - (rows - 1) * apart - 1) // down + 1,
                       (width + left + right - (columns - 1) * beside - 1) // across + 1), np.int8)
    for n, k, p, q in np.ndindex(result.shape):
        total = int(convolution.bias[k])
        first = k // (filters // convolution.group) * channels
        for c, r, s in itertools.product(range(channels), range(rows), range(columns)):
            row, column = down * p + apart * r - top, across * q + beside * s - left
            if 0 <= row < height and 0 <= column < width:
                total += int(x[n, first + c, row, column]) * int(convolution.weight[k, c, r, s])
        # Python rounds a fraction half to even.
        value = round(Fraction(total * int(convolution.multiplier[k]), 2 ** int(convolution.shift[k])))
        result[n, k, p, q] = max(min(max(value, -128), 127), 0 if convolution.relu else -128)
    return result


def random_layer(rng: random.Random, job: Job) -> IntegerConvolution:
    """Weights and scales under which results neither vanish nor all saturate."""
    generator = np.random.default_rng(rng.getrandbits(32))
    return IntegerConvolution(
        weight=int8_numbers(rng, (job.filters, job.channels // job.group, *job.kernel)).astype(np.int8),
        bias=generator.integers(-2**14, 2**14, job.filters).astype(np.int32),
        multiplier=generator.integers(2**15, 2**16, job.filters).astype(np.uint16),
        shift=generator.integers(20, 26, job.filters).astype(np.uint8), pad=job.pad, stride=job.stride,
        dilation=job.dilation, group=job.group, relu=job.relu)


class EngineBench:
    """An engine with its memory, and what the driver does with them."""

    def __init__(self, dut: SimHandleBase, case: str, profile: str) -> None:
        self.configuration = WinogradConfiguration(**CASES[case])
        self.bench = Bench(dut, case, part(**CASES[case]), profile)
        self.words = self.bench.source("descriptor")
        self.memory = Memory(self.bench, size_bytes=MEMORY_BYTES, beat_bytes=self.configuration.beat_bytes,
                             latency_cycles=LATENCY_CYCLES)
        self.busy_cycles = 0
        self.bench.on_look.append(self._count)

    def _count(self) -> None:
        self.busy_cycles += self.busy

    @property
    def busy(self) -> int:
        """The engine is at work."""
        return int(self.bench.port("status.busy").value)

    @property
    def error(self) -> int:
        """The error register."""
        return int(self.bench.port("status.error").value)

    def counters(self) -> dict[str, int]:
        """All counters by name."""
        return {name: int(self.bench.port(f"counters.{name}").value) for name in COUNTER_NAMES}

    def layouts(self, job: Job) -> tuple[MapLayout, MapLayout]:
        """Input and output in memory."""
        shape, beat_bytes = job.shape, self.configuration.beat_bytes
        return (MapLayout(batch=job.batch, channels=job.channels, height=job.height, width=job.width,
                          lanes=self.configuration.pc, beat_bytes=beat_bytes),
                MapLayout(batch=job.batch, channels=job.filters, height=shape.out_height, width=shape.out_width,
                          lanes=self.configuration.pk, beat_bytes=beat_bytes))

    def descriptors(self, job: Job) -> list[Descriptor]:
        """The blocks of a job."""
        return list(job.blocking(self.configuration).descriptors(
            *self.layouts(job), input_address=SOURCE, weights_address=WEIGHTS, output_address=TARGET))

    def weights(self, job: Job, convolution: IntegerConvolution) -> NDArray[np.uint8]:
        """As the engine reads them."""
        return pack_weights(convolution, convolution.weight, job.blocking(self.configuration))

    def store(self, address: int, content: NDArray[np.uint8]) -> None:
        """Writes a region of the memory."""
        assert len(content) <= REGION_BYTES, f"{len(content)} bytes are too many for a region"
        self.memory.content[address:address + len(content)] = content

    def start(self, descriptors: list[Descriptor]) -> None:
        """Sends descriptors, word by word."""
        self.busy_cycles = 0
        for descriptor in descriptors:
            self.words.send(*descriptor.encode(self.configuration.hash).tolist())

    async def finish(self) -> None:
        """Runs until the engine is idle again and every stream is drained."""
        await self.bench.run(LIMIT_CYCLES, more=lambda: bool(self.busy))
        assert self.memory.idle, "every burst must have had its data and its response"
        assert not self.busy

    async def run(self, job: Job) -> None:
        """One job from packing to comparing."""
        convolution = random_layer(self.bench.rng, job)
        x = int8_numbers(self.bench.rng, (job.batch, job.channels, job.height, job.width)).astype(np.int8)
        source, target = self.layouts(job)
        self.memory.content[:] = self.bench.rng.randrange(256)
        self.store(SOURCE, source.pack(x))
        self.store(WEIGHTS, self.weights(job, convolution))
        before = self.memory.content.copy()
        descriptors = self.descriptors(job)
        self.start(descriptors)
        await self.finish()

        expected = naive_layer(convolution, x)
        assert np.array_equal(expected, convolution.golden(x))
        after, output = self.memory.content, slice(TARGET, TARGET + target.size_bytes)
        result = target.unpack(after[output])
        assert np.array_equal(result, expected), f"{job}: {np.argwhere(result != expected)[:5].tolist()} differ"
        before[output] = after[output]
        assert np.array_equal(after, before), f"{job}: nothing but the output may be written"
        assert self.error == ErrorCode.NONE

        counters = self.counters()
        idle = sum(value for name, value in counters.items() if name.startswith("idle_"))
        assert counters["cycles"] == counters["busy"] + idle, counters
        # The cycle of the first word comes before the engine is busy, and clears the counters.
        assert counters["cycles"] == self.busy_cycles, counters
        assert counters["busy"] == sum(
            descriptor.tile_rows * descriptor.tile_columns * descriptor.channel_blocks * descriptor.filter_blocks
            for descriptor in descriptors if not descriptor.flags & Flag.PLANES_FOLLOW), counters


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def jobs_back_to_back_are_exact(dut: SimHandleBase, case: str, profile: str) -> None:
    engine = EngineBench(dut, case, profile)
    await engine.bench.reset()
    assert int(engine.bench.port("identity").value) == IDENTITY
    assert int(engine.bench.port("configuration_hash").value) == int(engine.configuration.hash, 16)
    flags = {descriptor.flags & Flag.EXCLUSIVE for job in JOBS for descriptor in engine.descriptors(job)}
    assert flags == {0, Flag.EXCLUSIVE}, "there must be jobs of both kinds"
    for job in (*JOBS, JOBS[0]):
        await engine.run(job)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def any_convolution_is_exact(dut: SimHandleBase, case: str, profile: str) -> None:
    engine = EngineBench(dut, case, profile)
    await engine.bench.reset()
    flags = {flag for job in GENERAL_JOBS for descriptor in engine.descriptors(job) for flag in Flag
             if descriptor.flags & flag}
    assert flags == set(Flag), "there must be descriptors of every kind"
    for job in (*GENERAL_JOBS, JOBS[2], GENERAL_JOBS[0]):
        await engine.run(job)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), code=["BAD_MAGIC", "WRONG_CONFIGURATION", "BAD_CHECKSUM", "OUT_OF_RANGE"],
                    good_blocks=[0, 1])
async def a_bad_descriptor_ends_the_job(dut: SimHandleBase, case: str, code: str, good_blocks: int) -> None:
    """The blocks before it are written, no word is left waiting, the error stays, and a reset mends everything."""
    engine = EngineBench(dut, case, "ragged")
    await engine.bench.reset()
    good, *_, bad = engine.descriptors(JOBS[4])
    configuration_hash = engine.configuration.hash
    if code == "BAD_MAGIC":
        bad = dataclasses.replace(bad, magic=0)
    if code == "OUT_OF_RANGE":
        bad = dataclasses.replace(bad, tile_rows=0)
    if code == "WRONG_CONFIGURATION":
        configuration_hash = configuration_hash[:-1] + ("0" if configuration_hash[-1] != "0" else "1")
    words = bad.encode(configuration_hash)
    if code == "BAD_CHECKSUM":
        words[-1] ^= 1
    engine.start([good] * good_blocks)
    engine.words.send(*words.tolist())
    engine.start([good, good])
    await engine.finish()
    assert engine.error == ErrorCode[code], f"the error must be {code}, not {engine.error}"
    bursts = engine.memory.written_bursts
    assert (bursts > 0) == (good_blocks > 0), "good blocks are written, no others"
    engine.start([good])
    await engine.finish()
    assert (engine.error, engine.memory.written_bursts) == (ErrorCode[code], bursts), "the error stays until reset"

    engine = EngineBench(dut, case, "ragged")
    await engine.bench.reset()
    await engine.run(JOBS[0])


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def a_bad_descriptor_within_a_block_ends_the_job(dut: SimHandleBase, case: str) -> None:
    """Some planes of the block have been loaded; nothing is run, and a reset mends everything."""
    engine = EngineBench(dut, case, "ragged")
    await engine.bench.reset()
    load, other, *_ = engine.descriptors(GENERAL_JOBS[1])
    assert load.flags & other.flags & Flag.PLANES_FOLLOW
    engine.start([load, dataclasses.replace(other, planes=other.channel_blocks)])
    await engine.finish()
    assert engine.error == ErrorCode.OUT_OF_RANGE
    assert engine.memory.written_bursts == 0

    engine = EngineBench(dut, case, "ragged")
    await engine.bench.reset()
    await engine.run(GENERAL_JOBS[1])


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def a_failed_write_is_reported(dut: SimHandleBase, case: str) -> None:
    engine = EngineBench(dut, case, "ragged")
    await engine.bench.reset()
    engine.memory.fails = lambda burst: burst == 2
    engine.start(engine.descriptors(JOBS[0]))
    await engine.finish()
    assert engine.error == ErrorCode.WRITE_FAILED
    assert engine.memory.written_bursts > 3, "the job runs on to its end"


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def a_job_sent_early_waits_for_the_one_before(dut: SimHandleBase, case: str) -> None:
    """Both jobs are one block at the same place in the block buffer, on maps of their own."""
    engine = EngineBench(dut, case, "free")
    await engine.bench.reset()
    job = Job(channels=3, filters=8, height=4, width=4, pad=(1, 1, 1, 1), rows=2, columns=2)
    source, target = engine.layouts(job)
    convolution = random_layer(engine.bench.rng, job)
    maps = [int8_numbers(engine.bench.rng, (1, job.channels, job.height, job.width)).astype(np.int8) for _ in range(2)]
    engine.store(SOURCE, np.concatenate([source.pack(x) for x in maps]))
    engine.store(WEIGHTS, engine.weights(job, convolution))
    block = engine.descriptors(job)[0]
    assert len(engine.descriptors(job)) == 1
    engine.start([block, dataclasses.replace(block, input_address=SOURCE + source.size_bytes,
                                             output_address=TARGET + target.size_bytes)])
    await engine.finish()
    for number, x in enumerate(maps):
        first = TARGET + number * target.size_bytes
        result = target.unpack(engine.memory.content[first:first + target.size_bytes])
        assert np.array_equal(result, naive_layer(convolution, x)), f"job {number} is wrong"
