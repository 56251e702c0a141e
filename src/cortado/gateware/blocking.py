"""Cutting a layer into blocks of tiles, one descriptor each, and what a block costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from cortado.errors import LayerError
from cortado.gateware.configuration import ACCUMULATE_CYCLES, WinogradConfiguration
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, Descriptor, Flag
from cortado.gateware.memory_layout import MapLayout

LARGEST_PAD = 2
LARGEST_EDGE = 4096

# Cycles from a descriptor's first word to the first tile, and from the last tile to the last write response, beyond
# what the estimate counts: decoding, memory latency twice, the depth of the pipeline.
START_CYCLES = 160
END_CYCLES = 100

# Cycles a burst takes at least in a memory of 64 cycles latency with 16 bursts in flight.
BURST_CYCLES = 4

# Cycles to decode one descriptor.
DECODE_CYCLES = DESCRIPTOR_WORDS + 4


@dataclass(frozen=True, kw_only=True)
class ConvolutionShape:
    """The shape of one 3 x 3 convolution, stride 1, on a batch; `pad` is (top, bottom, left, right).

    `rejects` in the engine's file says in words what does not fit; here it is an invariant.
    """

    batch: int
    channels: int
    filters: int
    height: int
    width: int
    pad: tuple[int, int, int, int]

    @property
    def out_height(self) -> int:
        """Rows of the output."""
        return self.height + self.pad[0] + self.pad[1] - 2

    @property
    def out_width(self) -> int:
        """Columns of the output."""
        return self.width + self.pad[2] + self.pad[3] - 2

    @property
    def macs(self) -> int:
        """Multiplications of a direct convolution, over the batch."""
        return self.batch * self.filters * self.channels * 9 * self.out_height * self.out_width


@dataclass(frozen=True)
class Span:
    """Tiles `first` to `first + count - 1` of one dimension."""

    first: int
    count: int


def _spans(tiles: int, size: int) -> list[Span]:
    return [Span(first, min(size, tiles - first)) for first in range(0, tiles, size)]


@dataclass(frozen=True, kw_only=True)
class Blocking:
    """A layer cut into blocks of at most `rows` x `columns` tiles."""

    configuration: WinogradConfiguration
    shape: ConvolutionShape
    rows: int
    columns: int

    @property
    def tiles_y(self) -> int:
        """Rows of tiles."""
        return -(-self.shape.out_height // self.configuration.m)

    @property
    def tiles_x(self) -> int:
        """Columns of tiles."""
        return -(-self.shape.out_width // self.configuration.m)

    @property
    def channel_blocks(self) -> int:
        """Blocks of input channels."""
        return self.configuration.channel_blocks(self.shape.channels)

    @property
    def filter_blocks(self) -> int:
        """Blocks of output channels."""
        return self.configuration.filter_blocks(self.shape.filters)

    @cached_property
    def spans(self) -> list[tuple[Span, Span]]:
        """The blocks of one image: rows and columns of tiles."""
        return [(y, x) for y in _spans(self.tiles_y, self.rows) for x in _spans(self.tiles_x, self.columns)]

    @property
    def row_words(self) -> int:
        """Words of a row of tiles in each memory of the block buffer."""
        return self.columns // 2 + 1

    @property
    def plane_words(self) -> int:
        """Words of a channel block in each memory of the block buffer."""
        return (self.rows // 2 + 1) * self.row_words

    @property
    def block_words(self) -> int:
        """Words of a block in each memory of the block buffer."""
        return self.channel_blocks * self.plane_words

    @property
    def exclusive(self) -> bool:
        """Whether the block buffer holds one block at a time instead of two."""
        return 2 * self.block_words > self.configuration.buffer_words

    @cached_property
    def cycles(self) -> int:
        """Estimated cycles of the job, for a memory that delivers a beat a cycle."""
        per_image = sum(self._block_cycles(y, x) for y, x in self.spans)
        first_y, first_x = self.spans[0]
        first_plane = max(self._fill_cycles(first_y, first_x), 1)
        last = self.spans[-1]
        tail = last[0].count * last[1].count * self.configuration.pk
        return START_CYCLES + first_plane + self.shape.batch * per_image + tail + END_CYCLES

    def _fill_cycles(self, y: Span, x: Span) -> int:
        """Cycles to write one channel block of a block into the buffer."""
        return (self.configuration.m * y.count + 2) * (x.count + 1)

    def _block_cycles(self, y: Span, x: Span) -> int:
        """The slowest of: multiplying, transforming back, reading memory, filling the buffer, writing memory."""
        configuration = self.configuration
        tiles = y.count * x.count
        a_pass = max(tiles, ACCUMULATE_CYCLES, configuration.pc * configuration.pk // configuration.pairs_per_step + 1)
        multiply = self.filter_blocks * (self.channel_blocks * a_pass)
        transform_back = self.filter_blocks * tiles * configuration.pk
        weight_beats = self.filter_blocks * (
            configuration.record_beats + self.channel_blocks * configuration.pass_beats)
        rows = min(configuration.m * y.count + 2, self.shape.height)
        columns = min(configuration.m * x.count + 2, self.shape.width)
        # A row cut out of a wider map begins and ends within a beat.
        row_beats = -(-columns * configuration.pc // configuration.beat_bytes) + (columns < self.shape.width)
        input_beats = self.channel_blocks * rows * row_beats
        fill = self.channel_blocks * self._fill_cycles(y, x)
        # A run of output beats takes at least the time the memory needs for a burst, however short.
        run_rows = configuration.m if x.count == self.tiles_x else 1
        run_beats = run_rows * -(-x.count * configuration.m * configuration.pk // configuration.beat_bytes)
        write = self.filter_blocks * y.count * (configuration.m // run_rows) * max(
            run_rows * x.count, run_beats, BURST_CYCLES)
        # While input is fetched the two readers take turns: weights that need more than every other beat fall behind.
        behind = max(0, 2 * weight_beats - multiply) * input_beats // multiply
        cycles = max(multiply + behind, transform_back, weight_beats + input_beats, fill, write, DECODE_CYCLES)
        # One block at a time: the next one's first channel block is fetched with nothing to multiply.
        return cycles + (self._fill_cycles(y, x) + START_CYCLES if self.exclusive and len(self.spans) > 1 else 0)

    def descriptors(self, source: MapLayout, target: MapLayout, *, input_address: int, weights_address: int,
                    output_address: int) -> Iterator[Descriptor]:
        """The blocks of the whole batch in order; `source` and `target` say how the maps lie in memory."""
        configuration, shape = self.configuration, self.shape
        edge, beat_bytes = configuration.m, configuration.beat_bytes
        pixels_per_beat = beat_bytes // configuration.pc
        top_pad, _, left_pad, _ = shape.pad
        total = shape.batch * len(self.spans)
        for number in range(total):
            image, (y, x) = number // len(self.spans), self.spans[number % len(self.spans)]
            first_row, end_row = y.first * edge - top_pad, (y.first + y.count) * edge + 2 - top_pad
            first_column, end_column = x.first * edge - left_pad, (x.first + x.count) * edge + 2 - left_pad
            row, column = max(first_row, 0), max(first_column, 0)
            rows, columns = min(end_row, shape.height) - row, min(end_column, shape.width) - column
            first_beat = column // pixels_per_beat
            row_beats = -(-(column + columns) // pixels_per_beat) - first_beat
            contiguous = row_beats == source.row_beats
            last_column = min((x.first + x.count) * edge, shape.out_width)
            output_byte = x.first * edge * configuration.pk
            output_row_beats = -(-last_column * configuration.pk // beat_bytes) - output_byte // beat_bytes
            assert output_byte % beat_bytes == 0, "a block starts on a beat of the output"
            yield Descriptor(
                flags=(Flag.LAST if number == total - 1 else 0) | (Flag.EXCLUSIVE if self.exclusive else 0)
                | (Flag.JOINED_ROWS if output_row_beats == target.row_beats else 0),
                input_address=input_address + image * source.image_pitch + row * source.row_pitch
                + first_beat * beat_bytes,
                input_plane_pitch=source.plane_pitch,
                input_run_pitch=source.row_pitch,
                input_runs=1 if contiguous else rows,
                input_run_beats=rows * row_beats if contiguous else row_beats,
                input_rows=rows,
                input_row_beats=row_beats,
                top_rows=row - first_row,
                left_columns=column - first_column,
                skip_columns=column % pixels_per_beat,
                input_columns=columns,
                tile_rows=y.count,
                tile_columns=x.count,
                channel_blocks=self.channel_blocks,
                filter_blocks=self.filter_blocks,
                buffer_base=0 if self.exclusive else number % 2 * self.block_words,
                plane_words=self.plane_words,
                row_words=self.row_words,
                weights_address=weights_address,
                output_address=output_address + image * target.image_pitch + y.first * edge * target.row_pitch
                + output_byte,
                output_plane_pitch=target.plane_pitch,
                output_row_pitch=target.row_pitch,
                output_rows=min((y.first + y.count) * edge, shape.out_height) - y.first * edge,
                output_row_beats=output_row_beats,
            )


def choose_blocking(configuration: WinogradConfiguration, shape: ConvolutionShape, layer: str) -> Blocking:
    """The cut with the fewest estimated cycles. Raises `LayerError` when not even one tile fits."""
    tiles_y = -(-shape.out_height // configuration.m)
    tiles_x = -(-shape.out_width // configuration.m)
    step = configuration.block_column_step
    candidates = []
    for columns in _sizes(tiles_x, configuration.block_columns, step):
        for rows in _sizes(tiles_y, configuration.tiles // columns, 1):
            blocking = Blocking(configuration=configuration, shape=shape, rows=rows, columns=columns)
            if blocking.block_words <= configuration.buffer_words:
                candidates.append(blocking)
    if not candidates:
        least = min(step, tiles_x)
        words = configuration.channel_blocks(shape.channels) * (least // 2 + 1)
        limit, value = next(
            (name, have) for name, need, have in (
                ("block_columns", least, configuration.block_columns), ("tiles", least, configuration.tiles),
                ("buffer_words", words, configuration.buffer_words)) if need > have)
        raise LayerError(layer, f"no block of tiles fits the engine: the narrowest that ends on a beat is {least} "
                                f"tiles wide and takes {words} words, which is more than {limit} = {value}")
    # Blocks of equal cost: the larger ones read their weights less often.
    return min(candidates, key=lambda blocking: (blocking.cycles, -blocking.rows * blocking.columns))


def _sizes(tiles: int, largest: int, step: int) -> list[int]:
    """Block sizes worth trying in one dimension: for each number of blocks the smallest that covers `tiles`."""
    sizes = set()
    for parts in range(1, tiles + 1):
        size = -(-tiles // parts)
        if size < tiles:
            size = -(-size // step) * step
        if size <= largest:
            sizes.add(min(size, tiles))
    return sorted(sizes)
