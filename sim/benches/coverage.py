"""Functional coverage of what a driver may ask of an engine: which kinds of jobs, blocks and errors have been seen.

A coverpoint is a function that says in which of its bins something falls; its docstring says what the bins mean. All
bins of a coverpoint are legal and listed with it. What falls in another one fails: then the list is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from benches.bench_winograd_engine import Job
from benches.pooling_case import PoolingCase

from cortado.gateware.configuration import LARGEST_STRIDE, WinogradConfiguration
from cortado.gateware.descriptor import Descriptor, ErrorCode, Flag
from cortado.gateware.map_descriptor import MapDescriptor, MapFlag
from cortado.gateware.memory_layout import MapLayout
from cortado.numerics.convolution import IntegerConvolution

PAGE_BYTES = 4096
KINDS = ("winograd", "pointwise", "pool", "add")


@dataclass(frozen=True, kw_only=True)
class LayerSeen:
    """A convolution that ran and was right."""

    job: Job
    convolution: IntegerConvolution
    configuration: WinogradConfiguration
    runs: int
    """Blocks, and passes over them."""
    result: np.ndarray


@dataclass(frozen=True, kw_only=True)
class BlockSeen:
    """A descriptor of such a convolution."""

    descriptor: Descriptor
    configuration: WinogradConfiguration
    source: MapLayout
    target: MapLayout


@dataclass(frozen=True, kw_only=True)
class PoolSeen:
    """A pooling that ran and was right."""

    case: PoolingCase
    descriptor: MapDescriptor


@dataclass(frozen=True, kw_only=True)
class AddSeen:
    """An addition that ran and was right."""

    descriptor: MapDescriptor


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A job's end: its kind, that of the job before it, how the ports stalled, and the error."""

    kind: str
    before: str | None
    stalls: str
    error: ErrorCode


Seen = LayerSeen | BlockSeen | PoolSeen | AddSeen | Ended


@dataclass(frozen=True, kw_only=True)
class Coverpoint:
    """One question about what was seen, and its possible answers."""

    name: str
    says: str
    asks: type
    bins: tuple[str, ...]
    answers: Callable[[Seen], Iterator[object]]


COVERPOINTS: list[Coverpoint] = []

UNREACHED = {
    "flag_pairs=JOINED_ROWS+POINTWISE": "the driver marks joined rows for rows of tiles; a pointwise tile has one row",
    "flag_pairs=PLANES_FOLLOW+POINTWISE": "a 1 x 1 kernel has one view, so its planes need one descriptor",
    "error=LEFT_OVER": "the engine's own check of itself: no descriptor that it takes leaves something over",
}
"""Legal bins that no job of this driver falls in, and why."""


def coverpoint(asks: type, *bins: object) -> Callable[[Callable], Callable]:
    """Registers a function as the coverpoint of its name."""
    def register(answers: Callable[[Seen], Iterator[object]]) -> Callable:
        COVERPOINTS.append(Coverpoint(name=answers.__name__, says=answers.__doc__, asks=asks,
                                      bins=tuple(map(str, bins)), answers=answers))
        return answers
    return register


class Coverage:
    """Counts how often each bin was hit."""

    def __init__(self, points: tuple[Coverpoint, ...] | None = None, unreached: Mapping[str, str] = UNREACHED) -> None:
        self._points = tuple(COVERPOINTS) if points is None else points
        self._unreached = unreached
        self.hits = {f"{point.name}={value}": 0 for point in self._points for value in point.bins}

    def bins_of(self, seen: Seen) -> list[str]:
        """The bins it falls in; fails where one is none of its coverpoint's, or cannot be reached."""
        found = [f"{point.name}={value}" for point in self._points if isinstance(seen, point.asks)
                 for value in point.answers(seen)]
        for name in found:
            assert name in self.hits, f"{name} is no bin; it was seen in {seen}"
            assert name not in self._unreached, f"{name} is reached after all: {self._unreached[name]}"
        return found

    def new_bins(self, *several: Seen) -> set[str]:
        """The bins they would be the first in."""
        return {name for seen in several for name in self.bins_of(seen) if not self.hits[name]}

    def sample(self, *several: Seen) -> None:
        """Counts them."""
        for seen in several:
            for name in self.bins_of(seen):
                self.hits[name] += 1

    @property
    def missed(self) -> list[str]:
        """Bins that can be reached and have not been hit."""
        return [name for name, count in self.hits.items() if not count and name not in self._unreached]

    def __str__(self) -> str:
        reachable = len(self.hits) - len(self._unreached)
        lines = [f"{reachable - len(self.missed)} of {reachable} bins hit in {len(self._points)} coverpoints"]
        for point in self._points:
            counts = ", ".join(f"{value} {self.hits[f'{point.name}={value}']}" for value in point.bins)
            lines.append(f"  {point.name}: {counts}")
        lines += [f"missed: {name}" for name in self.missed]
        lines += [f"out of reach: {name}, {reason}" for name, reason in self._unreached.items()]
        return "\n".join(lines)


def up_to(number: int, most: int) -> str:
    """`number` as a bin, where all above `most` share one."""
    return str(number) if number <= most else "more"


def cut_or_whole(value: bool) -> str:
    """The name of a bin."""
    return "cut" if value else "whole"


# The blocks of a convolution: their descriptors.


@coverpoint(BlockSeen, "none", *(flag.name for flag in Flag))
def flags(seen: BlockSeen) -> Iterator[object]:
    """Each flag of a block's descriptor, and none of them."""
    yield from (flag.name for flag in Flag if seen.descriptor.flags & flag)
    if not seen.descriptor.flags:
        yield "none"


@coverpoint(BlockSeen, *(f"{first.name}+{second.name}" for first, second in combinations(Flag, 2)
                         if {first, second} not in ({Flag.LAST, Flag.UNFINISHED}, {Flag.LAST, Flag.PLANES_FOLLOW})))
def flag_pairs(seen: BlockSeen) -> Iterator[object]:
    """Two flags at once; the last descriptor of a job leaves neither planes nor sums open."""
    present = [flag for flag in Flag if seen.descriptor.flags & flag]
    yield from (f"{first.name}+{second.name}" for first, second in combinations(present, 2))


@coverpoint(BlockSeen, "one", "odd", "even")
def tile_rows(seen: BlockSeen) -> Iterator[object]:
    """Rows of tiles of a block: the tile buffer keeps even and odd ones in memories of their own."""
    rows = seen.descriptor.tile_rows
    yield "one" if rows == 1 else "even" if rows % 2 == 0 else "odd"


@coverpoint(BlockSeen, "one", "odd", "even")
def tile_columns(seen: BlockSeen) -> Iterator[object]:
    """Columns of tiles of a block, likewise."""
    columns = seen.descriptor.tile_columns
    yield "one" if columns == 1 else "even" if columns % 2 == 0 else "odd"


@coverpoint(BlockSeen, "1", "2 to 3", "4 or more", "all the accumulators hold")
def tiles(seen: BlockSeen) -> Iterator[object]:
    """Tiles of a block: fewer than four wait for their accumulators."""
    count = seen.descriptor.tile_rows * seen.descriptor.tile_columns
    yield "1" if count == 1 else "2 to 3" if count < 4 else "4 or more"
    if count == seen.configuration.tiles:
        yield "all the accumulators hold"


@coverpoint(BlockSeen, "1", "2", "more")
def channel_blocks(seen: BlockSeen) -> Iterator[object]:
    """Planes of a block."""
    yield up_to(seen.descriptor.channel_blocks, 2)


@coverpoint(BlockSeen, "1", "2", "more")
def filter_blocks(seen: BlockSeen) -> Iterator[object]:
    """Blocks of pk output channels over one block of tiles."""
    yield up_to(seen.descriptor.filter_blocks, 2)


@coverpoint(BlockSeen, "all", "some")
def planes(seen: BlockSeen) -> Iterator[object]:
    """How many of the block's planes one descriptor loads."""
    yield "all" if seen.descriptor.planes == seen.descriptor.channel_blocks else "some"


@coverpoint(BlockSeen, "none", "1", "more")
def top_rows(seen: BlockSeen) -> Iterator[object]:
    """Zero rows above the map."""
    count = seen.descriptor.top_rows
    yield up_to(count, 1) if count else "none"


@coverpoint(BlockSeen, "none", "pixels", "groups", "both")
def left_padding(seen: BlockSeen) -> Iterator[object]:
    """Zero pixels left of each row: single ones, whole groups of m, or both."""
    groups, columns = seen.descriptor.left_groups, seen.descriptor.left_columns
    yield {(False, False): "none", (False, True): "pixels", (True, False): "groups", (True, True): "both"}[
        bool(groups), bool(columns)]


@coverpoint(BlockSeen, "none", "some")
def rows_below(seen: BlockSeen) -> Iterator[object]:
    """Rows the tiles take that lie below the map."""
    fields = seen.descriptor
    if fields.input_rows and not fields.flags & Flag.POINTWISE:
        needed = fields.tile_rows * seen.configuration.m + 2
        yield "some" if fields.top_rows + fields.input_rows < needed else "none"


@coverpoint(BlockSeen, *range(4))
def skip_columns(seen: BlockSeen) -> Iterator[object]:
    """Pixels of a row's first beat that are left of the block: the gearbox starts at each (four pixels a beat)."""
    yield seen.descriptor.skip_columns


@coverpoint(BlockSeen, *range(1, LARGEST_STRIDE + 1))
def column_step(seen: BlockSeen) -> Iterator[object]:
    """The horizontal stride of a view."""
    yield seen.descriptor.column_step


@coverpoint(BlockSeen, "all padding", "one run", "a run a row")
def input_runs(seen: BlockSeen) -> Iterator[object]:
    """How the rows of a plane are read: not at all, together, or one by one."""
    runs, rows = seen.descriptor.input_runs, seen.descriptor.input_rows
    yield "all padding" if not rows else "a run a row" if runs > 1 else "one run"


@coverpoint(BlockSeen, *range(1, LARGEST_STRIDE + 1))
def row_step(seen: BlockSeen) -> Iterator[object]:
    """The vertical stride of a view: rows from one run to the next."""
    if seen.descriptor.input_runs > 1:
        yield seen.descriptor.input_run_pitch // seen.source.row_pitch


@coverpoint(BlockSeen, "1", "2", "more")
def input_row_beats(seen: BlockSeen) -> Iterator[object]:
    """Beats of a row."""
    if seen.descriptor.input_rows:
        yield up_to(seen.descriptor.input_row_beats, 2)


@coverpoint(BlockSeen, "0", "other")
def buffer_base(seen: BlockSeen) -> Iterator[object]:
    """Which half of the tile buffer a block lies in."""
    yield "other" if seen.descriptor.buffer_base else "0"


@coverpoint(BlockSeen, "whole", "cut")
def output_rows(seen: BlockSeen) -> Iterator[object]:
    """Whether the last row of tiles reaches below the map: an odd height with m = 2."""
    if not seen.descriptor.flags & Flag.POINTWISE:
        yield cut_or_whole(seen.descriptor.output_rows % seen.configuration.m != 0)


@coverpoint(BlockSeen, "one beat", "some beats")
def output_row_beats(seen: BlockSeen) -> Iterator[object]:
    """Length of a row that is written."""
    yield "one beat" if seen.descriptor.output_row_beats == 1 else "some beats"


@coverpoint(BlockSeen, "first", "within")
def output_place(seen: BlockSeen) -> Iterator[object]:
    """Whether the block begins a row of the output or lies within it."""
    address = seen.descriptor.output_address
    yield "first" if address % PAGE_BYTES % seen.target.row_pitch == 0 else "within"


@coverpoint(BlockSeen, "read", "written", "neither")
def page_ends(seen: BlockSeen) -> Iterator[object]:
    """Whether a run crosses a page of 4096 bytes, so that its bursts are cut."""
    fields, beat_bytes = seen.descriptor, seen.configuration.beat_bytes
    reads = fields.input_rows and (fields.input_address % PAGE_BYTES
                                   + fields.input_run_beats * beat_bytes > PAGE_BYTES)
    writes = fields.output_address % PAGE_BYTES + fields.output_row_beats * beat_bytes * (
        fields.output_rows if fields.flags & Flag.JOINED_ROWS else 1) > PAGE_BYTES
    yield from (name for name, crosses in (("read", reads), ("written", writes)) if crosses)
    if not reads and not writes:
        yield "neither"


# Convolutions as a whole.


@coverpoint(LayerSeen, "1 x 1", "3 x 3", "smaller", "larger")
def kernel(seen: LayerSeen) -> Iterator[object]:
    """The kernel beside the 3 x 3 of the transform; smaller or larger in at least one direction."""
    rows, columns = seen.job.kernel
    if (rows, columns) in ((1, 1), (3, 3)):
        yield f"{rows} x {columns}"
    else:
        yield "larger" if max(rows, columns) > 3 else "smaller"


@coverpoint(LayerSeen, *(f"{down} x {across}" for down, across in product(range(1, LARGEST_STRIDE + 1), repeat=2)))
def stride(seen: LayerSeen) -> Iterator[object]:
    """Vertical and horizontal stride."""
    down, across = seen.job.stride
    yield f"{down} x {across}"


@coverpoint(LayerSeen, "none", "vertical", "horizontal", "both")
def dilation(seen: LayerSeen) -> Iterator[object]:
    """Gaps between the taps."""
    vertical, horizontal = (apart > 1 for apart in seen.job.dilation)
    yield {(False, False): "none", (True, False): "vertical", (False, True): "horizontal", (True, True): "both"}[
        vertical, horizontal]


@coverpoint(LayerSeen, "none", "top", "bottom", "left", "right", "all alike", "uneven")
def pad(seen: LayerSeen) -> Iterator[object]:
    """Padding on each side, alike on all, or uneven."""
    sides = dict(zip(("top", "bottom", "left", "right"), seen.job.pad, strict=True))
    yield from (name for name, count in sides.items() if count)
    if not any(sides.values()):
        yield "none"
    else:
        yield "all alike" if len(set(sides.values())) == 1 else "uneven"


@coverpoint(LayerSeen, "one", "some", "depthwise")
def groups(seen: LayerSeen) -> Iterator[object]:
    """Groups of channels."""
    yield "one" if seen.job.group == 1 else "depthwise" if seen.job.group == seen.job.channels else "some"


@coverpoint(LayerSeen, "1", "more")
def batch(seen: LayerSeen) -> Iterator[object]:
    """Images of a job."""
    yield up_to(seen.job.batch, 1)


@coverpoint(LayerSeen, "1", "2", "more")
def runs(seen: LayerSeen) -> Iterator[object]:
    """Blocks of a job, counting each pass over one."""
    yield up_to(seen.runs, 2)


@coverpoint(LayerSeen, *(f"{kind}, {count}" for kind in KINDS[:2] for count in ("1", "2", "more")))
def channel_passes(seen: LayerSeen) -> Iterator[object]:
    """Passes over the channels of a block, by the kind of its tiles."""
    blocking = seen.job.blocking(seen.configuration)
    most = max(-(-blocking.planes(bundle) // blocking.planes_at_once) for bundle in range(len(blocking.bundles)))
    yield f"{KINDS[seen.job.pointwise]}, {up_to(most, 2)}"


@coverpoint(LayerSeen, "1", "2 to 4", "more")
def views(seen: LayerSeen) -> Iterator[object]:
    """Pieces of the kernel."""
    count = len(seen.job.shape.views)
    yield "1" if count == 1 else "2 to 4" if count <= 4 else "more"


@coverpoint(LayerSeen, *(f"{what}, {lanes}" for what in ("channels", "filters") for lanes in ("full", "spare")))
def lanes(seen: LayerSeen) -> Iterator[object]:
    """Whether the channels and filters fill all lanes."""
    for what, count, width in (("channels", seen.job.channels, seen.configuration.pc),
                               ("filters", seen.job.filters, seen.configuration.pk)):
        yield f"{what}, {'spare' if count % width else 'full'}"


@coverpoint(LayerSeen, "none", "ReLU", "leaky ReLU")
def activation(seen: LayerSeen) -> Iterator[object]:
    """What happens to negative results."""
    yield "none" if not seen.convolution.relu else "leaky ReLU" if seen.convolution.slope else "ReLU"


@coverpoint(LayerSeen, "lowest", "highest", "between")
def results(seen: LayerSeen) -> Iterator[object]:
    """Results at both ends of their range, saturated, and between."""
    limits = np.iinfo(seen.result.dtype)
    for name, found in (("lowest", seen.result == limits.min), ("highest", seen.result == limits.max),
                        ("between", (seen.result != limits.min) & (seen.result != limits.max))):
        if found.any():
            yield name


# Map jobs.


@coverpoint(PoolSeen, "maximum", "average")
def pooling(seen: PoolSeen) -> Iterator[object]:
    """What becomes of a window."""
    yield "average" if seen.case.average else "maximum"


@coverpoint(PoolSeen, *(f"{side}, {count}" for side in ("rows", "columns") for count in ("1", "2", "3", "more")))
def pooling_kernel(seen: PoolSeen) -> Iterator[object]:
    """Sides of a window: up to three columns have a path of their own."""
    yield f"rows, {up_to(seen.descriptor.kernel_rows, 3)}"
    yield f"columns, {up_to(seen.descriptor.kernel_columns, 3)}"


@coverpoint(PoolSeen, *(f"{side}, {count}" for side in ("rows", "columns") for count in ("1", "2", "more")))
def pooling_stride(seen: PoolSeen) -> Iterator[object]:
    """From one window to the next: one and two columns have a path of their own."""
    yield f"rows, {up_to(seen.descriptor.row_stride, 2)}"
    yield f"columns, {up_to(seen.descriptor.column_stride, 2)}"


@coverpoint(PoolSeen, *(f"{side}, {count}" for side in ("rows", "columns") for count in range(1, 4)))
def open_windows(seen: PoolSeen) -> Iterator[object]:
    """Windows that are open at once."""
    fields = seen.descriptor
    for side, size, step, count in (("rows", fields.kernel_rows, fields.row_stride, fields.output_rows),
                                    ("columns", fields.kernel_columns, fields.column_stride, fields.output_columns)):
        yield f"{side}, {min(-(-size // step), count)}"


@coverpoint(PoolSeen, *(f"{side}, {name}" for side in ("rows", "columns") for name in ("none", "some")))
def pooling_pad(seen: PoolSeen) -> Iterator[object]:
    """Padding ahead of the map."""
    yield f"rows, {'some' if seen.descriptor.top_rows else 'none'}"
    yield f"columns, {'some' if seen.descriptor.left_columns else 'none'}"


@coverpoint(PoolSeen, *(f"{side}, {name}" for side in ("rows", "columns") for name in ("whole", "cut")))
def last_window(seen: PoolSeen) -> Iterator[object]:
    """Whether the last window ends with the map or reaches beyond it."""
    fields = seen.descriptor
    for side, pad_lines, lines, size, step, count in (
            ("rows", fields.top_rows, fields.input_rows, fields.kernel_rows, fields.row_stride, fields.output_rows),
            ("columns", fields.left_columns, fields.input_columns, fields.kernel_columns, fields.column_stride,
             fields.output_columns)):
        yield f"{side}, {cut_or_whole((count - 1) * step + size > pad_lines + lines)}"


@coverpoint(PoolSeen, "1", "more")
def pooling_planes(seen: PoolSeen) -> Iterator[object]:
    """Planes of a pooling."""
    yield up_to(seen.descriptor.planes, 1)


@coverpoint(PoolSeen, "1", "2", "more")
def pooling_row_beats(seen: PoolSeen) -> Iterator[object]:
    """Beats of a row to pool."""
    yield up_to(seen.descriptor.input_row_beats, 2)


@coverpoint(AddSeen, "without ReLU", "ReLU")
def addition(seen: AddSeen) -> Iterator[object]:
    """Whether negative sums become zero."""
    yield "ReLU" if seen.descriptor.flags & MapFlag.RELU else "without ReLU"


@coverpoint(AddSeen, "++", "+-", "-+", "--")
def addition_signs(seen: AddSeen) -> Iterator[object]:
    """Signs of the two multipliers."""
    yield "".join("-" if seen.descriptor.multipliers >> bit & 1 else "+" for bit in (15, 31))


@coverpoint(AddSeen, "0", "1 to 15", "more")
def addition_shift(seen: AddSeen) -> Iterator[object]:
    """The shift of a sum."""
    shift = seen.descriptor.shift
    yield "0" if not shift else "1 to 15" if shift <= 15 else "more"


@coverpoint(AddSeen, "1", "a burst or less", "more")
def addition_beats(seen: AddSeen) -> Iterator[object]:
    """Length of an addition."""
    beats = seen.descriptor.run_beats
    yield "1" if beats == 1 else "a burst or less" if beats <= 16 else "more"


# Jobs, one after the other.


@coverpoint(Ended, *(f"{before} then {kind}" for before, kind in product(KINDS, repeat=2)))
def order(seen: Ended) -> Iterator[object]:
    """Which kind of job ran before this one, without a reset between them."""
    if seen.before is not None and not seen.error:
        yield f"{seen.before} then {seen.kind}"


@coverpoint(Ended, *(f"{kind}, {stalls}" for kind, stalls in product(KINDS, ("free", "delayed"))))
def stalls(seen: Ended) -> Iterator[object]:
    """Jobs that ended well behind ports that never wait, and behind ports held back at random."""
    if not seen.error:
        yield f"{seen.kind}, {seen.stalls}"


@coverpoint(Ended, *(code.name for code in ErrorCode))
def error(seen: Ended) -> Iterator[object]:
    """How a job ended."""
    yield seen.error.name
