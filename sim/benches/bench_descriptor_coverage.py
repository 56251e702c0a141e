"""The whole engine behind its AXI ports on random jobs, until every legal kind of job has been seen.

Of the random jobs, which cost nothing before they are simulated, only those run that fall in a bin nobody has hit yet;
some others run too. Every job is compared with golden to the bit, and nothing may be under way after it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cocotb
import numpy as np
from benches.bench_axi_engine import (
    CODES,
    DELAYS,
    DESCRIPTORS,
    MEMORY_BYTES,
    REGION_BYTES,
    SOURCE,
    TARGET,
    WEIGHTS,
    AxiBench,
    part,
)
from benches.bench_winograd_engine import Job, random_layer
from benches.case import CASES
from benches.coverage import KINDS, AddSeen, BlockSeen, Coverage, Ended, LayerSeen, PoolSeen, Seen
from benches.number import int8_numbers
from benches.pooling_case import random_case
from cocotb.handle import SimHandleBase
from cocotb.triggers import ClockCycles
from testbench.monitor import Monitor

from cortado.engines.add_job import AddJob
from cortado.gateware.descriptor import ErrorCode
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.pooling_mapping import PoolingMapping
from cortado.gateware.register import Control, Register, Status
from cortado.gateware.weight_packing import pack_weights
from cortado.graph.shape import TensorShape
from cortado.numerics.elementwise_add import LARGEST_ADD_SHIFT, IntegerAdd

__all__ = ["part"]

REPORT_FILE = "coverage.{case}.json"
# A random job is looked at, and mostly thrown away, so often at most.
MOST_JOBS = 40_000
# Of those that add nothing, one in so many runs all the same.
ANYWAY = 400
LARGEST_ESTIMATE = 1500
QUIET_CYCLES = 50


@dataclass(frozen=True)
class Candidate:
    """A job ready to run, what it would cover, and what it must write."""

    kind: str
    words: np.ndarray
    source_address: int
    source: np.ndarray
    second: np.ndarray
    target_address: int
    expected: np.ndarray
    """The output as bytes."""
    counts: np.ndarray
    """Of these bytes, those of the map."""
    seen: tuple[Seen, ...]


class CoverageBench(AxiBench):
    """An engine whose ports stall as the current job wants it."""

    def __init__(self, dut: SimHandleBase, case: str) -> None:
        self.stalls = "free"
        super().__init__(dut, case, DELAYS["delayed"])
        self.monitor = Monitor(dut, f"{case}__m_axi")
        self.before: str | None = None
        self.coverage = Coverage()

    def _pauses(self, name: str, delay: float) -> Iterator[bool]:
        for paused in super()._pauses(name, delay):
            yield paused and self.stalls == "delayed"

    def candidate(self) -> Candidate | None:
        """A random job, or none where the numbers drawn do not go together."""
        kind = self.rng.choice(KINDS)
        if kind == "pool":
            return self._pooling()
        return self._addition() if kind == "add" else self._layer(pointwise=kind == "pointwise")

    async def run(self, job: Candidate) -> None:
        """One job from loading to comparing; then it counts."""
        before = self._load(job)
        await self.start(len(job.words) // 32)
        code = await self.end()
        assert code == ErrorCode.NONE, f"{job.seen} ends with {code.name}"
        await self._drained()
        after = np.frombuffer(self.memory.read(0, MEMORY_BYTES), np.uint8)
        output = slice(job.target_address, job.target_address + job.expected.size)
        wrong = np.flatnonzero((after[output] != job.expected) & (job.counts != 0))
        assert not wrong.size, f"{job.seen}: bytes {wrong[:5]} of the output are wrong"
        right = before.copy()
        right[output] = after[output]
        assert np.array_equal(after, right), f"{job.seen}: nothing but the output may be written"
        self.coverage.sample(*job.seen, self.ended(job, ErrorCode.NONE))
        self.before = job.kind

    def ended(self, job: Candidate, error: ErrorCode) -> Ended:
        """The end of a job behind the ports as they are now."""
        return Ended(kind=job.kind, before=self.before, stalls=self.stalls, error=error)

    async def fail(self, job: Candidate, code: ErrorCode) -> None:
        """One job that must end so, and leave nothing under way."""
        words = job.words.reshape(-1, 32).copy()
        if code == ErrorCode.BAD_MAGIC:
            words[-1, 0] ^= 1
            words[-1, -1] = -int(words[-1, :-1].astype(np.uint64).sum()) % 2**32
        elif code == ErrorCode.WRONG_CONFIGURATION:
            words[-1, 1] ^= 1
            words[-1, -1] = -int(words[-1, :-1].astype(np.uint64).sum()) % 2**32
        elif code == ErrorCode.BAD_CHECKSUM:
            words[-1, -1] ^= 1
        elif code == ErrorCode.OUT_OF_RANGE:
            words[-1, 2] |= 1 << 31
            words[-1, -1] = -int(words[-1, :-1].astype(np.uint64).sum()) % 2**32
        elif code == ErrorCode.BAD_LIST:
            # The last descriptor must say that it is.
            words[-1, 2] &= ~np.uint32(1)
            words[-1, -1] = -int(words[-1, :-1].astype(np.uint64).sum()) % 2**32
        self._load(dataclasses.replace(job, words=words.reshape(-1)))
        phase = next((name for name, failure in CODES.items() if failure == code), None)
        self.memory.fails_in, self.memory.spared = phase, 0
        await self.start(len(words))
        if code == ErrorCode.ABORTED:
            await self.write(Register.CONTROL, Control.RESET)
        found = await self.end()
        self.memory.fails_in = None
        assert found == code, f"the job must end with {code.name}, not {found.name}"
        await self._drained()
        self.coverage.sample(self.ended(job, code))

    async def _drained(self) -> None:
        await ClockCycles(self.dut.clk, QUIET_CYCLES)
        assert self.monitor.drained, f"nothing may be under way after a job, not {self.monitor}"
        assert not await self.read(Register.STATUS) & Status.BUSY

    def _load(self, job: Candidate) -> np.ndarray:
        """Fills the memory; what it holds then."""
        content = np.full(MEMORY_BYTES, self.rng.randrange(256), np.uint8)
        for address, data in ((DESCRIPTORS, job.words.view(np.uint8)), (job.source_address, job.source),
                              (WEIGHTS, job.second)):
            content[address:address + data.size] = data
        self.memory.write(0, content.tobytes())
        return content

    def _place(self, region: int, size: int) -> int:
        """A random address for `size` bytes in a region: where it begins, or anywhere."""
        beats = (REGION_BYTES - size) // self.engine.configuration.beat_bytes
        return region + self.rng.choice([0, self.rng.randint(0, beats)]) * self.engine.configuration.beat_bytes

    def _layer(self, *, pointwise: bool) -> Candidate | None:
        """A random convolution cut at random into blocks that the engine takes."""
        job = self._random_job(pointwise)
        if job is None:
            return None
        configuration, shape = self.engine.configuration, job.shape
        blocking = job.blocking(configuration)
        source, target = (MapLayout(batch=job.batch, channels=channels, height=height, width=width, lanes=lanes,
                                    beat_bytes=configuration.beat_bytes) for channels, height, width, lanes in (
            (job.channels, job.height, job.width, configuration.pc),
            (job.filters, shape.out_height, shape.out_width, configuration.pk)))
        convolution = random_layer(self.rng, job)
        if job.relu and self.rng.random() < 0.5:
            convolution = dataclasses.replace(convolution, slope=self.rng.randint(1, 255))
        maps = int8_numbers(self.rng, (job.batch, job.channels, job.height, job.width)).astype(np.int8)
        packed, weights = source.pack(maps), pack_weights(convolution, convolution.weight, blocking)
        if max(packed.size, weights.size, target.size_bytes) > REGION_BYTES:
            return None
        source_address, target_address = self._place(SOURCE, packed.size), self._place(TARGET, target.size_bytes)
        descriptors = list(blocking.descriptors(source, target, input_address=source_address, weights_address=WEIGHTS,
                                                output_address=target_address))
        if len(descriptors) * 128 > REGION_BYTES:
            return None
        result = convolution.golden(maps)
        seen = (LayerSeen(job=job, convolution=convolution, configuration=configuration, runs=blocking.run_count,
                          result=result),
                *(BlockSeen(descriptor=descriptor, configuration=configuration, source=source, target=target)
                  for descriptor in descriptors))
        return Candidate("pointwise" if pointwise else "winograd", self.words(descriptors), source_address, packed,
                         weights, target_address, target.pack(result), target.pack(np.full_like(result, -1)), seen)

    def _random_job(self, pointwise: bool) -> Job | None:
        rng, configuration = self.rng, self.engine.configuration
        group = rng.choice([1, 1, 1, 2, 3])
        channels, filters = group * rng.randint(1, 6), group * rng.randint(1, 4)
        if rng.random() < 0.1:
            group = filters = channels
        options = {"batch": rng.choice([1, 1, 2]), "channels": channels, "filters": filters, "group": group,
                   "relu": rng.random() < 0.6, "pointwise": pointwise, "columns": 1}
        if pointwise:
            job = Job(width=rng.randint(1, 90), kernel=(1, 1), **options)
        else:
            def side(most: int, usual: int) -> int:
                return rng.choice([usual, usual, rng.randint(1, most)])

            job = Job(height=rng.randint(1, 12), width=rng.randint(1, 14), kernel=(side(7, 3), side(7, 3)),
                      stride=(side(4, 1), side(4, 1)), dilation=(side(3, 1), side(3, 1)),
                      pad=(rng.choice([(0,) * 4, (1,) * 4, tuple(rng.randint(0, 4) for _ in range(4))])), **options)
        shape = job.shape
        if (min(shape.out_height, shape.out_width) < 1
                or channels // group * job.kernel[0] * job.kernel[1] > configuration.largest_taps):
            return None
        return self._cut(job)

    def _cut(self, job: Job) -> Job | None:
        """The job with a random legal size of its blocks."""
        rng, configuration = self.rng, self.engine.configuration
        whole = dataclasses.replace(job, planes_at_once=1, filters_at_once=1).blocking(configuration)
        step = configuration.tile_step(whole.tile_width)
        widest = configuration.tiles if job.pointwise else configuration.block_columns
        columns = rng.choice([whole.tiles_x, *range(step, whole.tiles_x, step)])
        if columns > widest:
            return None
        rows = rng.randint(1, min(whole.tiles_y, configuration.tiles // columns))
        cut = dataclasses.replace(job, rows=rows, columns=columns, planes_at_once=1, filters_at_once=1)
        blocking = cut.blocking(configuration)
        planes, filters = (max(count(bundle) for bundle in range(len(blocking.bundles)))
                           for count in (blocking.planes, blocking.filter_blocks))
        room = configuration.buffer_words // blocking.plane_words
        if not room:
            return None
        at_once = rng.choice([min(planes, room), rng.randint(1, min(planes, room))])
        together = filters
        if at_once < planes:
            together = min(filters, configuration.tiles // (rows * columns))
        cut = dataclasses.replace(cut, planes_at_once=at_once, filters_at_once=rng.randint(1, together))
        return cut if cut.blocking(configuration).cycles <= LARGEST_ESTIMATE else None

    def _pooling(self) -> Candidate | None:
        configuration = self.engine.configuration
        case = random_case(self.rng, lanes=configuration.pk, beat_bytes=configuration.beat_bytes,
                           row_beats=configuration.pooling_row_beats, average=True)
        batch, channels, height, width = case.maps.shape
        mapping = PoolingMapping(configuration=configuration, pooling=case.pooling, batch=batch, channels=channels,
                                 height=height, width=width)
        packed = case.layout.pack(case.maps)
        source_address, address = self._place(SOURCE, packed.size), self._place(TARGET, case.target.size_bytes)
        descriptors = list(mapping.descriptors(first_address=source_address, output_address=address))
        result = case.pooling.golden(case.maps)
        return Candidate("pool", self.words(descriptors), source_address, packed, np.zeros(0, np.uint8), address,
                         case.target.pack(result), case.target.pack(np.full_like(result, -1)),
                         tuple(PoolSeen(case=case, descriptor=descriptor) for descriptor in descriptors))

    def _addition(self) -> Candidate | None:
        configuration, rng = self.engine.configuration, self.rng
        layout = MapLayout(batch=1, channels=rng.randint(1, 5), height=rng.randint(1, 5), width=rng.randint(1, 9),
                           lanes=configuration.pk, beat_bytes=configuration.beat_bytes)
        addition = IntegerAdd(multipliers=(rng.randint(-2**15, 2**15 - 1), rng.randint(-2**15, 2**15 - 1)),
                              shift=rng.choice([0, rng.randint(1, LARGEST_ADD_SHIFT)]), relu=rng.random() < 0.5)
        job = AddJob(layer="sum", configuration=configuration, addition=addition, source=layout)
        source_address, address = (self._place(region, layout.size_bytes) for region in (SOURCE, TARGET))
        descriptors = job.descriptors(input_address=source_address, weights_address=WEIGHTS, output_address=address)
        dims = TensorShape((1, layout.channels, layout.height, layout.width)).dims
        maps = [int8_numbers(rng, dims).astype(np.int8) for _ in range(2)]
        result = addition.golden(*maps)
        return Candidate("add", self.words(descriptors), source_address, layout.pack(maps[0]),
                         layout.pack(maps[1]), address, layout.pack(result), layout.pack(np.full_like(result, -1)),
                         tuple(AddSeen(descriptor=descriptor) for descriptor in descriptors))


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def every_legal_bin_is_hit(dut: SimHandleBase, case: str) -> None:
    bench = CoverageBench(dut, case)
    await bench.reset()
    ran = drawn = 0
    codes = [code for code in ErrorCode if code not in (ErrorCode.NONE, ErrorCode.LEFT_OVER)]
    while bench.coverage.missed and drawn < MOST_JOBS:
        drawn += 1
        bench.stalls = bench.rng.choice(list(DELAYS))
        job = bench.candidate()
        if job is None:
            continue
        if codes and job.kind == "winograd":
            await bench.fail(job, codes.pop())
        elif (bench.coverage.new_bins(*job.seen, bench.ended(job, ErrorCode.NONE))
                or bench.rng.randrange(ANYWAY) == 0):
            await bench.run(job)
            ran += 1
    dut._log.critical("%d of %d random jobs ran: %s", ran, drawn, bench.coverage)
    Path(REPORT_FILE.format(case=case)).write_text(json.dumps({"drawn": drawn, "ran": ran, "hits": bench.coverage.hits,
                                             "missed": bench.coverage.missed, "report": str(bench.coverage)}))
    assert not bench.coverage.missed, f"every legal bin must be hit, not missed: {', '.join(bench.coverage.missed)}"
