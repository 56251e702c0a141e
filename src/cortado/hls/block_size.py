"""Choosing the blocks a C++ kernel works in, and what a block costs each of its stages.

The stages of a kernel run at the same time, on blocks that follow each other, so a block takes as long as the slowest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cortado.errors import LayerError
from cortado.hls.kernel_configuration import ARRANGE_CYCLES, KernelConfiguration

# Cycles of a read's way to memory and back, or of a write's and its response.
MEMORY_CYCLES = 64
# Cycles from the start to the first read, and through all stages, once for a picture.
PIPELINE_CYCLES = 60
# Cycles by which a pipelined loop that is entered anew exceeds its trip count.
LOOP_CYCLES = 4
# Stages before the buffer of a block: read and fill.
ARRIVAL_STAGES = 2


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """The tiles of a kernel: outputs of one, pixels from one to the next, and pixels of its window."""

    rows: int
    columns: int
    row_step: int
    column_step: int
    row_reach: int
    column_reach: int


@dataclass(frozen=True, kw_only=True)
class KernelShape:
    """One bundle of a layer on one picture, as a kernel sees it: `taps` passes for each pair of blocks."""

    layer: str
    kernel: str
    tiling: Tiling
    taps: int
    height: int
    width: int
    top: int
    """Rows of zeros above the map."""
    left: int
    out_height: int
    out_width: int
    channel_blocks: int
    filter_blocks: int
    rows_below: int = 0
    """Rows of tiles that a block convolves below its own: pooling windows reach into them."""

    @property
    def is_pointwise(self) -> bool:
        """Whether a block is a run of beats instead of a window of the map."""
        return self.kernel == "pointwise_convolution"

    @property
    def is_winograd(self) -> bool:
        """Whether results take a cycle for each output channel on their way back."""
        return self.kernel in ("winograd_convolution", "convolution_relu_pool")

    @property
    def written(self) -> tuple[int, int]:
        """Rows and columns that a tile leaves in memory."""
        step = 2 if self.kernel == "convolution_relu_pool" else 1
        return self.tiling.rows // step, self.tiling.columns // step


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block: its tiles, and what of the map its window covers, in rows and in beats of a row."""

    rows: int
    columns: int
    rows_below: int
    map_rows: int
    map_beats: int


@dataclass(frozen=True, kw_only=True)
class BlockSize:
    """Blocks of `rows` x `columns` tiles of one kernel shape; those of the first row of blocks have `lead_rows`."""

    kernels: KernelConfiguration
    shape: KernelShape
    rows: int
    columns: int
    lead_rows: int

    @property
    def tile_rows(self) -> int:
        """Rows of tiles in the map."""
        return -(-self.shape.out_height // self.shape.tiling.rows)

    @property
    def tile_columns(self) -> int:
        """Columns of tiles in the map."""
        return -(-self.shape.out_width // self.shape.tiling.columns)

    @property
    def blocks(self) -> list[Block]:
        """Every block, in raster order."""
        tiling, shape, pixels = self.shape.tiling, self.shape, self.kernels.input_pixels
        heights = [self.lead_rows, *_parts(self.tile_rows - self.lead_rows, self.rows)]
        across = []
        for first, columns in _placed(_parts(self.tile_columns, self.columns)):
            begin, end = _inside(first, columns, tiling.column_step, tiling.column_reach, shape.left, shape.width)
            across.append((columns, max(0, -(-end // pixels) - begin // pixels)))
        down = []
        for first, rows in _placed(heights):
            below = min(shape.rows_below, self.tile_rows - first - rows)
            begin, end = _inside(first, rows + below, tiling.row_step, tiling.row_reach, shape.top, shape.height)
            down.append((rows, below, max(0, end - begin)))
        return [Block(rows=rows, columns=columns, rows_below=below, map_rows=map_rows, map_beats=map_beats)
                for rows, below, map_rows in down for columns, map_beats in across]

    @property
    def count(self) -> int:
        """Blocks of the map."""
        return len(self.blocks)

    @property
    def words(self) -> int:
        """Words of the block buffer it takes."""
        tiling, banks = self.shape.tiling, self.kernels.banks
        if self.shape.is_pointwise:
            return self.shape.channel_blocks * self.columns
        rows = (self._convolved_rows - 1) * tiling.row_step + tiling.row_reach
        columns = (self.columns - 1) * tiling.column_step + tiling.column_reach
        return self.shape.channel_blocks * -(-rows // banks) * -(-columns // banks)

    @property
    def tiles(self) -> int:
        """Most tiles of a block."""
        return self._convolved_rows * self.columns

    @property
    def _convolved_rows(self) -> int:
        return min(self.rows + self.shape.rows_below, self.tile_rows)

    @property
    def cycles(self) -> int:
        """Estimated cycles of one picture.

        A block is multiplied when all of it has arrived, while the next one arrives in the other half of the buffer.
        """
        blocks = self.blocks
        stages = {block: self._stages(block) for block in set(blocks)}
        arrival = [max(stages[block][:ARRIVAL_STAGES]) for block in blocks]
        work = [max(stages[block][ARRIVAL_STAGES:]) for block in blocks]
        # Behind the last products only the last filter block is still on its way.
        end = stages[blocks[-1]][-1] // self.shape.filter_blocks
        return (PIPELINE_CYCLES + arrival[0] + sum(map(max, work, [*arrival[1:], 0])) + end)

    def _stages(self, block: Block) -> tuple[int, ...]:
        """Cycles of each stage on a block: read, fill, weights, multiply, finish, arrange, write."""
        shape, engine, kernels = self.shape, self.kernels.engine, self.kernels
        tiles = (block.rows + block.rows_below) * block.columns
        passes = shape.filter_blocks * shape.channel_blocks * shape.taps
        if shape.is_winograd:
            pass_beats, least = engine.pass_beats, max(kernels.weight_steps, kernels.accumulate_cycles)
            finish, load = tiles * engine.pk, (passes + 1) * kernels.load_steps
        else:
            pass_beats, least = engine.point_pass_beats, max(engine.point_pass_beats, kernels.accumulate_cycles)
            finish, load = tiles, 0
        weights = max(load, MEMORY_CYCLES + shape.filter_blocks * engine.record_beats + passes * pass_beats)
        multiply = (passes + 1) * max(tiles, least)
        return (self._read(block), self._fill(block), weights, multiply,
                shape.filter_blocks * (engine.record_beats + LOOP_CYCLES + finish), *self._way_out(block))

    def _read(self, block: Block) -> int:
        """Runs of bursts, each of which waits for memory once: what lies one behind the other is one run."""
        is_wide = block.columns == self.tile_columns
        runs = self.shape.channel_blocks * (1 if is_wide else block.map_rows)
        if is_wide and block.map_rows == self.shape.height and not self.shape.is_pointwise:
            runs = 1
        return runs * MEMORY_CYCLES + self.shape.channel_blocks * block.map_rows * block.map_beats

    def _fill(self, block: Block) -> int:
        """A beat in each cycle, or as many pixels as there are banks."""
        if self.shape.is_pointwise:
            return 0
        parts = max(1, self.kernels.input_pixels // self.kernels.banks)
        return self.shape.channel_blocks * block.map_rows * block.map_beats * parts

    def _way_out(self, block: Block) -> tuple[int, int]:
        """Tiles become rows of beats, row of tiles by row of tiles; then runs of bursts, each with its response."""
        lines, columns = self.shape.written
        beats = lines * -(-block.columns * columns // self.kernels.output_pixels)
        runs = 1 if block.columns == self.tile_columns else block.rows * lines
        return ((self.shape.filter_blocks * block.rows + 1) * max(block.columns - 1 + ARRANGE_CYCLES, beats),
                self.shape.filter_blocks * (block.rows * beats + runs * MEMORY_CYCLES))


def choose_block_size(kernels: KernelConfiguration, shape: KernelShape) -> BlockSize:
    """The blocks with the fewest estimated cycles.

    Raises `LayerError` naming the limit where not even one tile fits.
    """
    engine = kernels.engine
    whole = BlockSize(kernels=kernels, shape=shape, rows=1, columns=1, lead_rows=1)
    room = kernels.buffer_words * (kernels.banks**2 // kernels.input_pixels if shape.is_pointwise else 1)
    # A block that stops short of the right edge must end on a beat.
    wide = _sizes(whole.tile_columns, engine.tiles, engine.tile_step(shape.written[1]))
    if shape.rows_below:
        wide = [whole.tile_columns]
    best: BlockSize | None = None
    for columns in wide:
        for rows in _sizes(whole.tile_rows, engine.tiles // columns, 1):
            for lead_rows in sorted({-(-rows // part) for part in LEAD_PARTS}):
                size = BlockSize(kernels=kernels, shape=shape, rows=rows, columns=columns, lead_rows=lead_rows)
                if size.words <= room and size.tiles <= engine.tiles and (
                        best is None or (size.cycles, size.count) < (best.cycles, best.count)):
                    best = size
    if best is None:
        least = replace(whole, columns=whole.tile_columns if shape.rows_below else 1)
        if least.tiles > engine.tiles:
            raise LayerError(shape.layer, f"no block of it fits the HLS kernel '{shape.kernel}': the least has "
                                          f"{least.tiles} tiles, there are sums for {engine.tiles} (tiles of the "
                                          "configuration)")
        raise LayerError(shape.layer, f"no block of it fits the HLS kernel '{shape.kernel}': the window of the "
                                      f"narrowest block takes {least.words} words or more, the buffer has {room} "
                                      "(buffer_words of the configuration)")
    return best


def _parts(total: int, size: int) -> Iterator[int]:
    """`total` items in parts of `size`, the last one with the rest."""
    for first in range(0, total, size):
        yield min(size, total - first)


def _placed(sizes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Each size with the sum of those before it."""
    first = 0
    for size in sizes:
        yield first, size
        first += size


def _inside(first: int, tiles: int, step: int, reach: int, pad: int, limit: int) -> tuple[int, int]:
    """Begin and end of what the window of some tiles covers of a map that ends at `limit`, in one direction."""
    begin = first * step - pad
    return max(begin, 0), min(begin + (tiles - 1) * step + reach, limit)


def _sizes(total: int, largest: int, step: int) -> list[int]:
    """For each number of blocks the smallest size, a multiple of `step`, that covers `total`."""
    sizes = set()
    for parts in range(1, total + 1):
        size = -(-total // parts)
        if size < total:
            size = -(-size // step) * step
        if size <= largest:
            sizes.add(min(size, total))
            if len(sizes) == MOST_SIZES:
                break
    return sorted(sizes)


# Sizes tried in each direction; more would take long on large maps and gain little.
MOST_SIZES = 12
# Heights tried for the first row of blocks: parts of the others.
LEAD_PARTS = (1, 2, 4, 8)
