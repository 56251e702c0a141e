"""A block of tiles as nested loops see it: what the loader must write and the tile buffer must give out."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from benches.payload import Plain

from cortado.gateware.configuration import WinogradConfiguration

BLANK_CHANCE = 0.2
EMPTY_CHANCE = 0.15
LARGEST_STEP = 4


@dataclass(frozen=True, kw_only=True)
class Load:
    """Some planes of a block and where they lie under its tiles.

    `planes[number][row][column]` is a pixel of pc channels of the image, as bytes, without the padding; planes that are
    all padding have no rows.
    """

    planes: list[list[list[list[int]]]]
    top_rows: int
    left: int
    skip_columns: int
    column_step: int

    @property
    def input_rows(self) -> int:
        """Image rows the planes read."""
        return len(self.planes[0])

    @property
    def input_columns(self) -> int:
        """Pixels of each row that count."""
        return len(self.planes[0][0]) if self.input_rows else 0


@dataclass(frozen=True, kw_only=True)
class Block:
    """Random pixels under `tile_rows` x `tile_columns` tiles, some rows and columns of them padding.

    A pointwise block is a row of tiles, each a run of pixels. `continues` and `unfinished` say that its sums are begun
    and ended by others.
    """

    configuration: WinogradConfiguration
    pointwise: bool
    tile_rows: int
    tile_columns: int
    filter_blocks: int
    buffer_base: int
    plane_words: int
    row_words: int
    exclusive: bool
    continues: bool
    unfinished: bool
    loads: list[Load]

    @property
    def pixels_per_beat(self) -> int:
        """Pixels of pc channels in a beat."""
        return self.configuration.beat_bytes // self.pixel_bytes

    @property
    def pixel_bytes(self) -> int:
        """Bytes of pc channels."""
        return pixel_bytes(self.configuration)

    @property
    def channel_blocks(self) -> int:
        """Planes of all loads."""
        return sum(len(load.planes) for load in self.loads)

    def reader_fields(self, names: Iterable[str]) -> dict[str, int]:
        """A command of the tile buffer: the block's numbers of these names."""
        return {name: int(getattr(self, name)) for name in names}

    def loader_fields(self, names: Iterable[str]) -> Iterator[dict[str, int]]:
        """A command of the loader for each load."""
        for load in self.loads:
            values = {
                "planes": len(load.planes), "planes_follow": load is not self.loads[-1],
                "left_groups": load.left // self.configuration.m, "left_columns": load.left % self.configuration.m,
                "input_row_beats": self._row_beats(load),
            }
            yield {name: int(values[name] if name in values else getattr(load if hasattr(load, name) else self, name))
                   for name in names}

    def beats(self, rng: random.Random) -> Iterator[int]:
        """The rows as they come from memory, with junk around and between the pixels that count."""
        for load in self.loads:
            for row in (row for plane in load.planes for row in plane):
                pixels = [[rng.randint(0, 255) for _ in range(self.pixel_bytes)]
                          for _ in range(self._row_beats(load) * self.pixels_per_beat)]
                for number, pixel in enumerate(row):
                    pixels[load.skip_columns + number * load.column_step] = pixel
                content = bytes(value for pixel in pixels for value in pixel)
                for first in range(0, len(content), self.configuration.beat_bytes):
                    yield int.from_bytes(content[first:first + self.configuration.beat_bytes], "little")

    def _row_beats(self, load: Load) -> int:
        if not load.input_rows:
            return 0
        return (load.skip_columns + (load.input_columns - 1) * load.column_step) // self.pixels_per_beat + 1

    @cached_property
    def _planes(self) -> list[tuple[Load, list[list[list[int]]]]]:
        return [(load, plane) for load in self.loads for plane in load.planes]

    def pixel(self, plane: int, row: int, column: int) -> list[int]:
        """The pixel at a place under the tiles: bytes, zeros in the padding."""
        load, rows = self._planes[plane]
        row, column = row - load.top_rows, column - load.left
        if 0 <= row < load.input_rows and 0 <= column < load.input_columns:
            return rows[row][column]
        return [0] * self.pixel_bytes

    def writes(self) -> Iterator[dict[str, Plain]]:
        """The writes into the block buffer, in order."""
        for plane in range(self.channel_blocks):
            base = self.buffer_base + plane * self.plane_words
            yield from self._point_writes(plane, base) if self.pointwise else self._plane_writes(plane, base)

    def _plane_writes(self, plane: int, base: int) -> Iterator[dict[str, Plain]]:
        edge = self.configuration.m
        rows = self.tile_rows * edge + 2
        for row in range(rows):
            for group in range(self.tile_columns + 1):
                yield {
                    "pixels": self._group(plane, row, group),
                    "address": base + row // edge // 2 * self.row_words + group // 2,
                    "odd_row": row // edge % 2,
                    "odd_column": group % 2,
                    "lane": row % edge,
                    "plane_last": int(row == rows - 1 and group == self.tile_columns),
                }

    def _point_writes(self, plane: int, base: int) -> Iterator[dict[str, Plain]]:
        """Group by group, first all lanes of one memory, then those of the next; a word for each tile."""
        edge, groups = self.configuration.m, self.configuration.alpha**2 // self.configuration.m
        for tile in range(self.tile_columns):
            for group in range(groups):
                yield {
                    "pixels": self._group(plane, 0, tile * groups + group),
                    "address": base + tile,
                    "odd_row": group // (2 * edge),
                    "odd_column": group // edge % 2,
                    "lane": group % edge,
                    "plane_last": int(tile == self.tile_columns - 1 and group == groups - 1),
                }

    def _group(self, plane: int, row: int, group: int) -> int:
        edge = self.configuration.m
        values = [value for column in range(group * edge, (group + 1) * edge)
                  for value in self.pixel(plane, row, column)]
        return int.from_bytes(bytes(values), "little")

    def tiles(self) -> Iterator[dict[str, Plain]]:
        """The tiles of all passes, in order."""
        count = self.tile_rows * self.tile_columns
        for filter_block in range(self.filter_blocks):
            # Sums that wait have words of their own for each filter block.
            first = filter_block * count if self.continues or self.unfinished else 0
            for plane in range(self.channel_blocks):
                for tile in range(count):
                    window = self._window(plane, tile)
                    yield {
                        "pixels": [[self._number(pixel, channel) for pixel in window]
                                   for channel in range(self.configuration.pc)],
                        "index": first + tile,
                        "pass_first": int(tile == 0),
                        "pass_last": int(tile == count - 1),
                        "sum_first": int(plane == 0 and not self.continues),
                        "sum_last": int(plane == self.channel_blocks - 1 and not self.unfinished),
                        "pointwise": int(self.pointwise),
                    }

    def _number(self, pixel: list[int], channel: int) -> int:
        size = self.configuration.data_bits // 8
        return int.from_bytes(bytes(pixel[channel * size:(channel + 1) * size]), "little", signed=True)

    def _window(self, plane: int, tile: int) -> list[list[int]]:
        """The pixels of a tile, row by row; a pointwise one has zeros where no whole group of m is left."""
        edge, alpha = self.configuration.m, self.configuration.alpha
        if self.pointwise:
            pixels = alpha**2 // edge * edge
            nothing = [[0] * self.pixel_bytes] * (alpha**2 - pixels)
            return [self.pixel(plane, 0, tile * pixels + number) for number in range(pixels)] + nothing
        top, left = tile // self.tile_columns * edge, tile % self.tile_columns * edge
        return [self.pixel(plane, top + row, left + column) for row in range(alpha) for column in range(alpha)]


def pixel_bytes(configuration: WinogradConfiguration) -> int:
    """Bytes of pc channels of a pixel."""
    return configuration.pc * configuration.data_bits // 8


def random_block(rng: random.Random, configuration: WinogradConfiguration, number: int, *, exclusive: bool,
                 pointwise: bool) -> Block:
    """A block that fits half of the buffer, even numbers the lower one; or all of it where it is exclusive."""
    room = configuration.buffer_words if exclusive else configuration.buffer_words // 2
    continues, unfinished = rng.random() < 0.3, rng.random() < 0.3
    while True:
        tile_rows = 1 if pointwise else rng.randint(1, 4)
        tile_columns, filter_blocks = rng.randint(1, min(5, configuration.block_columns)), rng.randint(1, 3)
        counts = [rng.randint(1, 2) for _ in range(rng.randint(1, 3))]  # planes of each load
        row_words = rng.randint(1, 9) if pointwise else tile_columns // 2 + 1 + rng.randint(0, 1)
        plane_words = (tile_columns if pointwise else (tile_rows // 2 + 1) * row_words) + rng.randint(0, 1)
        kept = filter_blocks if continues or unfinished else 1
        if tile_rows * tile_columns * kept <= configuration.tiles and sum(counts) * plane_words <= room:
            break
    edge = configuration.m
    rows = 1 if pointwise else tile_rows * edge + 2
    columns = tile_columns * (configuration.alpha**2 // edge * edge) if pointwise else tile_columns * edge + 2
    return Block(
        configuration=configuration, pointwise=pointwise, tile_rows=tile_rows, tile_columns=tile_columns,
        filter_blocks=filter_blocks, buffer_base=0 if exclusive else number % 2 * room, plane_words=plane_words,
        row_words=row_words, exclusive=exclusive, continues=continues, unfinished=unfinished,
        loads=[_random_load(rng, configuration, count, rows, columns) for count in counts])


def _random_load(rng: random.Random, configuration: WinogradConfiguration, count: int, rows: int, columns: int) -> Load:
    """Planes under so many rows and columns of pixels."""
    # The image may begin after the tiles do and end before them, and need not fill even one tile.
    blank, empty = rng.random() < BLANK_CHANCE, rng.random() < EMPTY_CHANCE
    top_rows = rng.randint(0, rows - 1 if blank else min(2, rows - 1))
    left = rng.randint(0, columns - 1 if blank else min(2, columns - 1))
    most_rows, most_columns = rows - top_rows, columns - left
    input_rows = 0 if empty else rng.randint(1 if blank else max(1, most_rows - 2), most_rows)
    input_columns = rng.randint(1 if blank else max(1, most_columns - 2), most_columns)
    return Load(
        top_rows=top_rows, left=left,
        skip_columns=rng.randrange(configuration.beat_bytes // pixel_bytes(configuration)),
        column_step=rng.randint(1, LARGEST_STEP),
        planes=[[[[rng.randint(0, 255) for _ in range(pixel_bytes(configuration))] for _ in range(input_columns)]
                 for _ in range(input_rows)] for _ in range(count)])
