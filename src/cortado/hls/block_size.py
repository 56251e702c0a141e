"""Choosing the blocks a C++ kernel works in, and what a block costs each of its stages.

The stages of a kernel run at the same time, on blocks that follow each other, so a block takes as long as the slowest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cortado.errors import LayerError
from cortado.hls.kernel_configuration import KernelConfiguration

# Cycles of a read's way to memory and back, or of a write's and its response.
MEMORY_CYCLES = 64
# Cycles from the start to the first read, and through all stages, once for a picture.
PIPELINE_CYCLES = 60
# Cycles by which a pipelined loop that is entered anew exceeds its trip count.
LOOP_CYCLES = 4


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
    out_height: int
    out_width: int
    channel_blocks: int
    filter_blocks: int

    @property
    def is_pointwise(self) -> bool:
        """Whether a block is a run of beats instead of a window of the map."""
        return self.kernel == "pointwise_convolution"

    @property
    def is_winograd(self) -> bool:
        """Whether results take a cycle for each output channel on their way back."""
        return self.kernel in ("winograd_convolution", "convolution_relu_pool")

    @property
    def written_columns(self) -> int:
        """Outputs in a row that a tile leaves in memory."""
        return self.tiling.columns // 2 if self.kernel == "convolution_relu_pool" else self.tiling.columns


@dataclass(frozen=True, kw_only=True)
class BlockSize:
    """Blocks of `rows` x `columns` tiles of one kernel shape."""

    kernels: KernelConfiguration
    shape: KernelShape
    rows: int
    columns: int

    @property
    def tile_rows(self) -> int:
        """Rows of tiles in the map."""
        return -(-self.shape.out_height // self.shape.tiling.rows)

    @property
    def tile_columns(self) -> int:
        """Columns of tiles in the map."""
        return -(-self.shape.out_width // self.shape.tiling.columns)

    @property
    def count(self) -> int:
        """Blocks of the map."""
        return -(-self.tile_rows // self.rows) * -(-self.tile_columns // self.columns)

    @property
    def words(self) -> int:
        """Words of the block buffer it takes."""
        tiling, banks = self.shape.tiling, self.kernels.banks
        if self.shape.is_pointwise:
            return self.shape.channel_blocks * self.columns
        rows = (self.rows - 1) * tiling.row_step + tiling.row_reach
        columns = (self.columns - 1) * tiling.column_step + tiling.column_reach
        return self.shape.channel_blocks * -(-rows // banks) * -(-columns // banks)

    @property
    def cycles(self) -> int:
        """Estimated cycles of one picture: the slowest stage of each block, and what comes before the first and behind
        the last of them.
        """
        blocks = [self._stages(rows, columns) for rows in _parts(self.tile_rows, self.rows)
                  for columns in _parts(self.tile_columns, self.columns)]
        begin = max(blocks[0][:2])
        # Behind the last products of a block only its last filter block is still on its way.
        end = blocks[-1][-1] // self.shape.filter_blocks
        return PIPELINE_CYCLES + begin + sum(max(stages) for stages in blocks) + end

    def _stages(self, rows: int, columns: int) -> tuple[int, ...]:
        """Cycles of each stage on a block of so many tiles: read, fill, weights, multiply, finish, write."""
        shape, engine, kernels = self.shape, self.kernels.engine, self.kernels
        tiles = rows * columns
        passes = shape.filter_blocks * shape.channel_blocks * shape.taps
        if shape.is_winograd:
            pass_beats, least = engine.pass_beats, max(kernels.weight_steps, kernels.accumulate_cycles)
            finish, load = tiles * engine.pk, (passes + 1) * kernels.load_steps
        else:
            pass_beats, least = engine.point_pass_beats, max(engine.point_pass_beats, kernels.accumulate_cycles)
            finish, load = tiles, 0
        weights = max(load, MEMORY_CYCLES + shape.filter_blocks * engine.record_beats + passes * pass_beats)
        multiply = (passes + 1) * max(tiles, least)
        return (self._read(rows, columns), self._fill(rows, columns), weights, multiply,
                shape.filter_blocks * (engine.record_beats + LOOP_CYCLES + finish), *self._way_out(rows, columns))

    def _inside(self, rows: int, columns: int) -> tuple[int, int]:
        """Rows of the map that the window of a block covers, and the beats of one."""
        tiling, shape = self.shape.tiling, self.shape
        pixels = (columns - 1) * tiling.column_step + tiling.column_reach
        # A window that begins within a beat ends within another.
        beats = -(-pixels // self.kernels.input_pixels) + (not shape.is_pointwise)
        return (min((rows - 1) * tiling.row_step + tiling.row_reach, shape.height),
                min(beats, -(-shape.width // self.kernels.input_pixels)))

    def _read(self, rows: int, columns: int) -> int:
        """Runs of bursts, each of which waits for memory once."""
        inside, beats = self._inside(rows, columns)
        runs = self.shape.channel_blocks * (1 if columns == self.tile_columns else inside)
        if (rows, columns) == (self.tile_rows, self.tile_columns):
            runs = 1
        return runs * MEMORY_CYCLES + self.shape.channel_blocks * inside * beats

    def _fill(self, rows: int, columns: int) -> int:
        """A beat in each cycle, or as many pixels as there are banks."""
        if self.shape.is_pointwise:
            return 0
        inside, beats = self._inside(rows, columns)
        return self.shape.channel_blocks * inside * beats * max(1, self.kernels.input_pixels // self.kernels.banks)

    def _way_out(self, rows: int, columns: int) -> tuple[int, int]:
        """Tiles become rows of beats, row of tiles by row of tiles; then runs of bursts, each with its response."""
        lines = self.shape.tiling.rows
        beats = lines * -(-columns * self.shape.tiling.columns // self.kernels.output_pixels)
        runs = 1 if columns == self.tile_columns else rows * lines
        return (self.shape.filter_blocks * rows * (columns + beats + 2 * LOOP_CYCLES),
                self.shape.filter_blocks * (rows * beats + runs * MEMORY_CYCLES))


def choose_block_size(kernels: KernelConfiguration, shape: KernelShape) -> BlockSize:
    """The blocks with the fewest estimated cycles.

    Raises `LayerError` naming the limit where not even one tile fits.
    """
    engine = kernels.engine
    whole = BlockSize(kernels=kernels, shape=shape, rows=1, columns=1)
    room = kernels.buffer_words * (kernels.banks**2 // kernels.input_pixels if shape.is_pointwise else 1)
    best: BlockSize | None = None
    # A block that stops short of the right edge must end on a beat.
    for columns in _sizes(whole.tile_columns, engine.tiles, engine.tile_step(shape.written_columns)):
        for rows in _sizes(whole.tile_rows, engine.tiles // columns, 1):
            size = BlockSize(kernels=kernels, shape=shape, rows=rows, columns=columns)
            if size.words <= room and (best is None or (size.cycles, size.count) < (best.cycles, best.count)):
                best = size
    if best is None:
        raise LayerError(shape.layer, f"no block of it fits the HLS kernel '{shape.kernel}': the window of the "
                                      f"narrowest block takes {whole.words} words or more, the buffer has {room} "
                                      "(buffer_words of the configuration)")
    return best


def _parts(total: int, size: int) -> Iterator[int]:
    """`total` items in parts of `size`, the last one with the rest."""
    for first in range(0, total, size):
        yield min(size, total - first)


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
