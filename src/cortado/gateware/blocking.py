"""Cutting a convolution into blocks of tiles, channel passes and filter groups: the descriptors, and what they cost.

A block of tiles has its planes (pc channels of one view of the map) in the block buffer and runs every filter block
over them. Where the planes of all channels do not fit, or would take too long to fetch before the first product, a
block runs in channel passes: the sums of as many filter blocks as the accumulators hold wait there for the planes of
the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import gcd, lcm

from cortado.errors import LayerError
from cortado.gateware.configuration import ACCUMULATE_CYCLES, WinogradConfiguration
from cortado.gateware.convolution_shape import ConvolutionShape, View
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, Descriptor, Flag
from cortado.gateware.map_window import MapWindow
from cortado.gateware.memory_layout import MapLayout

# Cycles from a job's first word to its first beat of input, and from its last result to the last write response:
# decoding, memory latency twice, the depth of the pipeline.
START_CYCLES = 130
END_CYCLES = 100

# Cycles a burst takes at least in a memory of 64 cycles latency with 16 bursts in flight.
BURST_CYCLES = 4

# Cycles to decode one descriptor.
DECODE_CYCLES = DESCRIPTOR_WORDS + 4

# Cycles between the end of a block and the fetch of the next where only one fits, and those the fetch takes to begin.
TURN_CYCLES = 80


@dataclass(frozen=True)
class Span:
    """Items `first` to `first + count - 1` of one dimension."""

    first: int
    count: int

    @property
    def end(self) -> int:
        """The item behind the last."""
        return self.first + self.count


def spans(total: int, size: int) -> list[Span]:
    """`total` items in spans of `size`, the last one with the rest."""
    return [Span(first, min(size, total - first)) for first in range(0, total, size)]


@dataclass(frozen=True)
class Bundle:
    """Groups of a grouped convolution that run as one, with zero kernels between them."""

    channels: Span
    filters: Span


@dataclass(frozen=True)
class Run:
    """What one descriptor computes: a block of tiles, some filter blocks, some planes."""

    image: int
    rows: Span
    columns: Span
    bundle: int
    filters: Span
    planes: Span
    number: int
    is_last: bool


@dataclass(frozen=True, kw_only=True)
class Blocking:
    """A convolution cut into blocks of at most `rows` x `columns` tiles; pointwise, of `columns` tiles.

    `planes_at_once` planes are in the buffer at a time, and `filters_at_once` filter blocks pass over them.
    """

    configuration: WinogradConfiguration
    shape: ConvolutionShape
    pointwise: bool = False
    rows: int
    columns: int
    planes_at_once: int
    filters_at_once: int

    @cached_property
    def views(self) -> tuple[View, ...]:
        """The pieces of the kernel."""
        return self.shape.views

    @cached_property
    def bundles(self) -> tuple[Bundle, ...]:
        """Groups that run together: the fewest that begin on a plane and on a filter block."""
        shape, configuration = self.shape, self.configuration
        channels, filters = shape.channels // shape.group, shape.filters // shape.group
        together = shape.group
        if shape.group > 1:
            together = min(shape.group, lcm(configuration.pc // gcd(configuration.pc, channels),
                                            configuration.pk // gcd(configuration.pk, filters)))
        return tuple(Bundle(Span(groups.first * channels, groups.count * channels),
                            Span(groups.first * filters, groups.count * filters))
                     for groups in spans(shape.group, together))

    @property
    def tiles_y(self) -> int:
        """Rows of tiles."""
        return 1 if self.pointwise else -(-self.shape.out_height // self.configuration.m)

    @property
    def tiles_x(self) -> int:
        """Columns of tiles."""
        return -(-self.shape.out_width // self.tile_width)

    @property
    def tile_width(self) -> int:
        """Outputs of a tile in a row."""
        return self.configuration.point_pixels if self.pointwise else self.configuration.m

    def channel_blocks(self, bundle: int) -> int:
        """Blocks of pc input channels of a bundle."""
        return self.configuration.channel_blocks(self.bundles[bundle].channels.count)

    def planes(self, bundle: int) -> int:
        """Planes of a block: its channel blocks in every view."""
        return len(self.views) * self.channel_blocks(bundle)

    def filter_blocks(self, bundle: int) -> int:
        """Blocks of pk output channels of a bundle."""
        return self.configuration.filter_blocks(self.bundles[bundle].filters.count)

    @cached_property
    def tile_spans(self) -> list[tuple[Span, Span]]:
        """The blocks of one image: rows and columns of tiles."""
        return [(y, x) for y in spans(self.tiles_y, self.rows) for x in spans(self.tiles_x, self.columns)]

    @property
    def row_words(self) -> int:
        """Words of a row of tiles in each memory of the block buffer."""
        return self.columns if self.pointwise else self.columns // 2 + 1

    @property
    def plane_words(self) -> int:
        """Words of a plane in each memory of the block buffer."""
        return self.row_words if self.pointwise else (self.rows // 2 + 1) * self.row_words

    @property
    def block_words(self) -> int:
        """Words of a block in each memory of the block buffer."""
        return self.planes_at_once * self.plane_words

    @cached_property
    def exclusive(self) -> bool:
        """Whether the block buffer holds one block at a time instead of two."""
        return 2 * self.block_words > self.configuration.buffer_words

    @property
    def passes_together(self) -> bool:
        """Whether every bundle has all its planes in the buffer at once."""
        return all(self.planes(bundle) <= self.planes_at_once for bundle in range(len(self.bundles)))

    def bundle_runs(self, bundle: int) -> list[tuple[Span, Span]]:
        """Filters and planes of the runs of a bundle over one block of tiles, in order."""
        return [(filters, planes) for filters in spans(self.filter_blocks(bundle), self.filters_at_once)
                for planes in spans(self.planes(bundle), self.planes_at_once)]

    def run_weight_beats(self, bundle: int, filters: Span, planes: Span) -> int:
        """Beats of the weights of a run, with the channel records where its sums end."""
        configuration = self.configuration
        pass_beats = configuration.point_pass_beats if self.pointwise else configuration.pass_beats
        records = configuration.record_beats if planes.end == self.planes(bundle) else 0
        return filters.count * (records + planes.count * pass_beats)

    @property
    def run_count(self) -> int:
        """Runs of the whole batch."""
        return self.shape.batch * len(self.tile_spans) * sum(
            len(self.bundle_runs(bundle)) for bundle in range(len(self.bundles)))

    @property
    def pass_count(self) -> int:
        """Passes (one filter block by one plane over a block of tiles) of the whole batch."""
        return self.shape.batch * len(self.tile_spans) * sum(
            self.filter_blocks(bundle) * self.planes(bundle) for bundle in range(len(self.bundles)))

    def runs(self) -> Iterator[Run]:
        """Everything the engine computes, in order."""
        number, total = 0, self.run_count
        for image in range(self.shape.batch):
            for rows, columns in self.tile_spans:
                for bundle in range(len(self.bundles)):
                    for filters, planes in self.bundle_runs(bundle):
                        yield Run(image, rows, columns, bundle, filters, planes, number, number == total - 1)
                        number += 1

    @property
    def least_cycles(self) -> int:
        """What the weights of all blocks and the products take at least: a bound of `cycles` that costs nothing."""
        blocks = self.shape.batch * len(self.tile_spans)
        passes = sum(self.filter_blocks(bundle) * self.planes(bundle) for bundle in range(len(self.bundles)))
        pass_beats = self.configuration.point_pass_beats if self.pointwise else self.configuration.pass_beats
        tiles = self.shape.batch * self.tiles_y * self.tiles_x
        return passes * max(tiles, blocks * max(ACCUMULATE_CYCLES, pass_beats))

    @cached_property
    def cycles(self) -> int:
        """Estimated cycles of the job, for a memory that delivers a beat a cycle."""
        blocks = [self._block_costs(rows.count, columns.count) for rows, columns in self.tile_spans]
        first, last = blocks[0][0], blocks[-1][-1]
        steady = 0
        # Blocks of a size share a list, and only a few sizes follow each other.
        pairs = Counter(zip(map(id, blocks), map(id, [*blocks[1:], blocks[0]]), strict=True))
        by_identity = {id(block): block for block in blocks}
        for (this, following), count in pairs.items():
            block = by_identity[this]
            steady += count * (sum(map(self._step, block, block[1:]))
                               + self._step(block[-1], by_identity[following][0]))
        begin = first.plane + max(0, first.load - first.plane - first.run // first.filters)
        total = START_CYCLES + begin + self.shape.batch * steady + last.tail + END_CYCLES
        if not self.exclusive:
            # Behind the last run nothing is fetched.
            total -= max(last.run, first.load, last.beats + first.input_beats) - max(last.run, last.beats)
        else:
            total -= TURN_CYCLES + max(0, first.load - first.run // first.filters)
        return total

    def _step(self, cost: _RunCost, following: _RunCost) -> int:
        """Cycles from the beginning of a run to that of the following one."""
        if self.exclusive:
            # The next block's planes arrive one by one while its first filter block runs over them.
            return max(cost.run, cost.beats) + TURN_CYCLES + max(
                0, following.load - following.run // following.filters)
        return max(cost.run, following.load, cost.beats + following.input_beats)

    def _block_costs(self, rows: int, columns: int) -> list[_RunCost]:
        """The runs of a block of so many tiles, in order; blocks of a size share one list."""
        key = rows, columns
        if key not in self._costs:
            self._costs[key] = [self._run_cost(rows, columns, bundle, filters, planes)
                                for bundle in range(len(self.bundles)) for filters, planes in self.bundle_runs(bundle)]
        return self._costs[key]

    @cached_property
    def _costs(self) -> dict[tuple[int, int], list[_RunCost]]:
        return {}

    def _run_cost(self, rows: int, columns: int, bundle: int, filters: Span, planes: Span) -> _RunCost:
        configuration = self.configuration
        tiles = rows * columns
        weight_beats = self.run_weight_beats(bundle, filters, planes)
        group = configuration.points_per_step if self.pointwise else configuration.pairs_per_step
        a_pass = max(tiles, ACCUMULATE_CYCLES, configuration.pc * configuration.pk // group + 1)
        multiply = filters.count * planes.count * a_pass
        steps = configuration.point_steps if self.pointwise else 1
        # The sums of all channel passes leave together, through a queue that holds them all.
        share = planes.count / self.planes(bundle)
        drain = filters.count * tiles * configuration.pk * steps * share
        if self.pointwise:
            run_rows, row_pixels, width = 1, columns * self.tile_width, 1
        else:
            joined = columns == self.tiles_x
            run_rows, row_pixels = configuration.m if joined else 1, columns * configuration.m
            width = rows * configuration.m // run_rows
        run_beats = run_rows * -(-row_pixels * configuration.output_pixel_bytes // configuration.beat_bytes)
        segments = run_rows * (columns * (configuration.point_banks if self.pointwise else 1))
        write = filters.count * width * max(run_beats, segments, BURST_CYCLES) * share
        plane, plane_beats, descriptors = self._plane_cost(rows, columns)
        input_beats = planes.count * plane_beats
        # The sums of a filter block are complete with its last plane, and those of all of them leave one by one.
        kept = filters.count if planes.first else 1
        leave = kept * tiles * configuration.pk * steps
        tail = max(tiles * configuration.pk * steps, planes.count * a_pass + leave - multiply)
        return _RunCost(run=round(max(multiply, drain, write, weight_beats, descriptors * DECODE_CYCLES)), tail=tail,
                        load=planes.count * max(plane, plane_beats), plane=max(plane, plane_beats), beats=weight_beats,
                        input_beats=input_beats, filters=filters.count)

    def _plane_cost(self, rows: int, columns: int) -> tuple[int, int, int]:
        """Cycles to write a plane into the buffer, beats to read it, and descriptors of a run."""
        configuration, shape = self.configuration, self.shape
        if self.pointwise:
            fill = columns * configuration.point_banks
            pixels = min(columns * self.tile_width, shape.width)
            return fill, -(-pixels * configuration.input_pixel_bytes // configuration.beat_bytes), 1
        fill = (configuration.m * rows + 2) * (columns + 1)
        step = shape.stride
        view_rows = min(configuration.m * rows + 2, -(-shape.height // step[0]))
        view_columns = min((configuration.m * columns + 2) * step[1], shape.width)
        # A row cut out of a wider map begins and ends within a beat.
        row_beats = (-(-view_columns * configuration.input_pixel_bytes // configuration.beat_bytes)
                     + (view_columns < shape.width))
        return fill, view_rows * row_beats, len(self.views)

    def descriptors(self, source: MapLayout, target: MapLayout | MapWindow, *, input_address: int, weights_address: int,
                    output_address: int) -> Iterator[Descriptor]:
        """The descriptors of the whole batch in order; `source` and `target` say how the maps lie in memory."""
        weights: dict[tuple[int, Span, Span], int] = {}
        address = weights_address
        for bundle in range(len(self.bundles)):
            for filters, planes in self.bundle_runs(bundle):
                weights[bundle, filters, planes] = address
                address += self.run_weight_beats(bundle, filters, planes) * self.configuration.beat_bytes
        for run in self.runs():
            yield from self._run_descriptors(run, source, target, input_address, output_address,
                                             weights[run.bundle, run.filters, run.planes])

    def _run_descriptors(self, run: Run, source: MapLayout, target: MapLayout | MapWindow, input_address: int,
                         output_address: int, weights_address: int) -> Iterator[Descriptor]:
        """One descriptor for each view the run's planes belong to; the last of them computes."""
        configuration, shape = self.configuration, self.shape
        edge = 1 if self.pointwise else configuration.m
        bundle = self.bundles[run.bundle]
        channel_blocks = self.channel_blocks(run.bundle)
        first_block = bundle.channels.first // configuration.pc
        first_filter = bundle.filters.first // configuration.pk + run.filters.first
        row, column = run.rows.first * edge, run.columns.first * self.tile_width
        last_column = min(run.columns.end * self.tile_width, shape.out_width)
        output_rows = min(run.rows.end * edge, shape.out_height) - row
        output_byte = column * configuration.output_pixel_bytes
        assert output_byte % configuration.beat_bytes == 0, "a block starts on a beat of the output"
        output_row_beats = (-(-last_column * configuration.output_pixel_bytes // configuration.beat_bytes)
                            - output_byte // configuration.beat_bytes)
        flags = ((Flag.EXCLUSIVE if self.exclusive else 0) | (Flag.POINTWISE if self.pointwise else 0)
                 | (Flag.JOINED_ROWS if output_row_beats == target.row_beats and not self.pointwise else 0)
                 | (Flag.CONTINUES if run.planes.first else 0)
                 | (Flag.UNFINISHED if run.planes.end < self.planes(run.bundle) else 0))
        plane = run.planes.first
        while plane < run.planes.end:
            view, block = divmod(plane, channel_blocks)
            count = min(channel_blocks - block, run.planes.end - plane)
            plane += count
            done = plane == run.planes.end
            yield Descriptor(
                flags=flags | (0 if done else Flag.PLANES_FOLLOW) | (Flag.LAST if run.is_last and done else 0),
                **self._load_fields(run, self.views[view], source,
                                    input_address + run.image * source.image_pitch
                                    + (first_block + block) * source.plane_pitch),
                planes=count,
                tile_rows=run.rows.count,
                tile_columns=run.columns.count,
                channel_blocks=run.planes.count,
                filter_blocks=run.filters.count,
                buffer_base=0 if self.exclusive else run.number % 2 * self.block_words,
                plane_words=self.plane_words,
                row_words=self.row_words,
                weights_address=weights_address,
                output_address=output_address + run.image * target.image_pitch + first_filter * target.plane_pitch
                + row * target.row_pitch + output_byte,
                output_plane_pitch=target.plane_pitch,
                output_row_pitch=target.row_pitch,
                output_rows=output_rows,
                output_row_beats=output_row_beats,
            )

    def _load_fields(self, run: Run, view: View, source: MapLayout, plane_address: int) -> dict[str, int]:
        """Where the pixels of the run's tiles lie in one view of a plane, and the padding around them."""
        configuration, shape = self.configuration, self.shape
        edge, beat_bytes = configuration.m, configuration.beat_bytes
        pixels_per_beat = beat_bytes // configuration.input_pixel_bytes
        if self.pointwise:
            first_row, end_row = 0, 1
            first_column, end_column = run.columns.first * self.tile_width, run.columns.end * self.tile_width
        else:
            first_row, end_row = run.rows.first * edge, run.rows.end * edge + 2
            first_column, end_column = run.columns.first * edge, run.columns.end * edge + 2
        low_row, high_row = view.row.span(first_row, end_row, shape.height)
        low_column, high_column = view.column.span(first_column, end_column, shape.width)
        rows, columns = high_row - low_row, high_column - low_column
        if rows == 0 or columns == 0:
            return dict(input_address=plane_address, input_plane_pitch=source.plane_pitch,
                        input_run_pitch=source.row_pitch, input_runs=0, input_run_beats=0, input_rows=0,
                        input_row_beats=0, top_rows=0, left_groups=0, left_columns=0, skip_columns=0, column_step=1,
                        input_columns=0)
        step = view.column.step if columns > 1 else 1
        row = view.row.offset + view.row.step * low_row
        column = view.column.offset + view.column.step * low_column
        first_beat = column // pixels_per_beat
        row_beats = (column + step * (columns - 1)) // pixels_per_beat - first_beat + 1
        contiguous = row_beats == source.row_beats and (view.row.step == 1 or rows == 1)
        left = low_column - first_column
        return dict(
            input_address=plane_address + row * source.row_pitch + first_beat * beat_bytes,
            input_plane_pitch=source.plane_pitch,
            input_run_pitch=view.row.step * source.row_pitch,
            input_runs=1 if contiguous else rows,
            input_run_beats=rows * row_beats if contiguous else row_beats,
            input_rows=rows,
            input_row_beats=row_beats,
            top_rows=low_row - first_row,
            left_groups=left // edge,
            left_columns=left % edge,
            skip_columns=column % pixels_per_beat,
            column_step=step,
            input_columns=columns,
        )


@dataclass(frozen=True)
class _RunCost:
    """Cycles of a run, of its loads and of its last results' way out, and the beats both read."""

    run: int
    tail: int
    load: int
    plane: int
    beats: int
    input_beats: int
    filters: int


def choose_blocking(configuration: WinogradConfiguration, shape: ConvolutionShape, layer: str, *,
                    pointwise: bool = False) -> Blocking:
    """The cut with the fewest estimated cycles. Raises `LayerError` when not even one tile fits."""
    width = configuration.point_pixels if pointwise else configuration.m
    tiles_y = 1 if pointwise else -(-shape.out_height // configuration.m)
    tiles_x = -(-shape.out_width // width)
    step = configuration.tile_step(width)
    best: tuple[tuple[int, int], Blocking] | None = None
    widest = configuration.tiles if pointwise else configuration.block_columns
    sizes = [(rows, columns) for columns in _sizes(tiles_x, min(widest, configuration.tiles), step)
             for rows in _sizes(tiles_y, configuration.tiles // columns, 1)]
    # Large blocks are mostly the best: tried first, they spare most of the others.
    for rows, columns in sorted(sizes, key=lambda size: -size[0] * size[1]):
        for blocking in _candidates(configuration, shape, pointwise, rows, columns):
            if best is not None and blocking.least_cycles > best[0][0]:
                continue
            # Blocks of equal cost: the larger ones read their weights less often.
            cost = blocking.cycles, -rows * columns * blocking.planes_at_once
            if best is None or cost < best[0]:
                best = cost, blocking
    if best is None:
        least = min(step, tiles_x)
        limit, value = next((name, have) for name, have in (
            ("block_columns", widest), ("tiles", configuration.tiles), ("buffer_words", configuration.buffer_words))
            if least > have or name == "buffer_words")
        raise LayerError(layer, f"no block of tiles fits the engine: the narrowest that ends on a beat is {least} "
                                f"tiles wide, which is more than {limit} = {value} takes")
    return best[1]


def _candidates(configuration: WinogradConfiguration, shape: ConvolutionShape, pointwise: bool, rows: int,
                columns: int) -> Iterator[Blocking]:
    """Cuts of the channels and filters worth trying for blocks of the given size."""
    def blocking(planes: int, filters: int) -> Blocking:
        return Blocking(configuration=configuration, shape=shape, pointwise=pointwise, rows=rows, columns=columns,
                        planes_at_once=planes, filters_at_once=filters)

    whole = blocking(1, 1)
    planes = max(whole.planes(bundle) for bundle in range(len(whole.bundles)))
    filters = max(whole.filter_blocks(bundle) for bundle in range(len(whole.bundles)))
    room = configuration.buffer_words // whole.plane_words
    if planes <= room:
        yield blocking(planes, filters)
    # Sums that wait take a word of the accumulators for each tile and filter block.
    kept = min(filters, configuration.tiles // (rows * columns))
    groups = -(-filters // kept) if kept else 0
    for passes in ((2, 4, 8, 16, 32) if planes > 1 and groups else ()):
        at_once = -(-planes // passes)
        if passes <= planes and 2 * at_once <= room:
            yield blocking(at_once, -(-filters // groups))
    fitting = min(room // 2 or room, planes)
    if fitting and groups and planes > fitting:
        yield blocking(-(-planes // -(-planes // fitting)), -(-filters // groups))


def _sizes(tiles: int, largest: int, step: int) -> list[int]:
    """Block sizes worth trying in one dimension: for each number of blocks the smallest that covers `tiles`."""
    sizes: set[int] = set()
    parts = 1
    while parts <= tiles and len(sizes) < MOST_SIZES:
        size = -(-tiles // parts)
        if size < tiles:
            size = -(-size // step) * step
        if size <= largest:
            sizes.add(min(size, tiles))
            parts += 1
        else:
            # The next number of blocks that may fit.
            parts = max(parts + 1, -(-tiles // largest))
    return sorted(sizes)


# Enough to come within a few percent of the best; more would take long on large maps.
MOST_SIZES = 12
