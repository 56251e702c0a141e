"""A block of tiles as nested loops see it: what the loader must write and the tile buffer must give out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from benches.payload import Plain

from cortado.gateware.configuration import WinogradConfiguration

BLANK_CHANCE = 0.2


@dataclass(frozen=True, kw_only=True)
class Block:
    """Random pixels under `tile_rows` x `tile_columns` tiles, some rows and columns of them padding.

    `planes[channel_block][row][column]` is a pixel of pc bytes of the image, without the padding.
    """

    configuration: WinogradConfiguration
    tile_rows: int
    tile_columns: int
    channel_blocks: int
    filter_blocks: int
    top_rows: int
    left_columns: int
    skip_columns: int
    buffer_base: int
    plane_words: int
    row_words: int
    exclusive: bool
    planes: list[list[list[list[int]]]]

    @property
    def input_rows(self) -> int:
        """Image rows the block reads."""
        return len(self.planes[0])

    @property
    def input_columns(self) -> int:
        """Pixels of each row the block reads."""
        return len(self.planes[0][0])

    @property
    def pixels_per_beat(self) -> int:
        """Pixels of pc bytes in a beat."""
        return self.configuration.beat_bytes // self.configuration.pc

    @property
    def input_row_beats(self) -> int:
        """Beats of each row."""
        return -(-(self.skip_columns + self.input_columns) // self.pixels_per_beat)

    def fields(self, names: Iterator[str]) -> dict[str, int]:
        """A command: the block's numbers of these names."""
        return {name: int(getattr(self, name)) for name in names}

    def beats(self, rng: random.Random) -> Iterator[int]:
        """The rows as they come from memory, with junk around the block's pixels."""
        for plane in self.planes:
            for row in plane:
                pixels = [[rng.randint(0, 255) for _ in range(self.configuration.pc)]
                          for _ in range(self.input_row_beats * self.pixels_per_beat)]
                pixels[self.skip_columns:self.skip_columns + self.input_columns] = row
                content = bytes(value for pixel in pixels for value in pixel)
                for first in range(0, len(content), self.configuration.beat_bytes):
                    yield int.from_bytes(content[first:first + self.configuration.beat_bytes], "little")

    def pixel(self, channel_block: int, row: int, column: int) -> list[int]:
        """The pixel at a place under the tiles: pc bytes, zeros in the padding."""
        row, column = row - self.top_rows, column - self.left_columns
        if 0 <= row < self.input_rows and 0 <= column < self.input_columns:
            return self.planes[channel_block][row][column]
        return [0] * self.configuration.pc

    def writes(self) -> Iterator[dict[str, Plain]]:
        """The writes into the block buffer, in order."""
        edge = self.configuration.m
        rows = self.tile_rows * edge + 2
        for channel_block in range(self.channel_blocks):
            for row in range(rows):
                for group in range(self.tile_columns + 1):
                    values = [value for column in range(group * edge, (group + 1) * edge)
                              for value in self.pixel(channel_block, row, column)]
                    yield {
                        "pixels": int.from_bytes(bytes(values), "little"),
                        "address": (self.buffer_base + channel_block * self.plane_words
                                    + row // edge // 2 * self.row_words + group // 2),
                        "odd_row": row // edge % 2,
                        "odd_column": group % 2,
                        "lane": row % edge,
                        "plane_last": int(row == rows - 1 and group == self.tile_columns),
                    }

    def tiles(self) -> Iterator[dict[str, Plain]]:
        """The tiles of all passes, in order."""
        edge, alpha, count = self.configuration.m, self.configuration.alpha, self.tile_rows * self.tile_columns
        for _ in range(self.filter_blocks):
            for channel_block in range(self.channel_blocks):
                for index in range(count):
                    top, left = index // self.tile_columns * edge, index % self.tile_columns * edge
                    window = [self.pixel(channel_block, top + row, left + column)
                              for row in range(alpha) for column in range(alpha)]
                    yield {
                        "pixels": [[(pixel[channel] ^ 128) - 128 for pixel in window]
                                   for channel in range(self.configuration.pc)],
                        "index": index,
                        "pass_first": int(index == 0),
                        "pass_last": int(index == count - 1),
                        "channel_first": int(channel_block == 0),
                        "channel_last": int(channel_block == self.channel_blocks - 1),
                    }


def random_block(rng: random.Random, configuration: WinogradConfiguration, number: int, exclusive: bool) -> Block:
    """A block that fits half of the buffer, even numbers the lower one; or all of it where it is exclusive."""
    room = configuration.buffer_words if exclusive else configuration.buffer_words // 2
    edge = configuration.m
    while True:
        tile_rows, tile_columns = rng.randint(1, 4), rng.randint(1, min(5, configuration.block_columns))
        channel_blocks = rng.randint(1, 3)
        row_words = tile_columns // 2 + 1 + rng.randint(0, 1)
        plane_words = (tile_rows // 2 + 1) * row_words + rng.randint(0, 1)
        if tile_rows * tile_columns <= configuration.tiles and channel_blocks * plane_words <= room:
            break
    top_rows, left_columns = rng.randint(0, 2), rng.randint(0, 2)
    # The image may end before the tiles do, and need not fill even one tile.
    blank = rng.random() < BLANK_CHANCE
    most_rows, most_columns = tile_rows * edge + 2 - top_rows, tile_columns * edge + 2 - left_columns
    input_rows = rng.randint(1 if blank else max(1, most_rows - 2), most_rows)
    input_columns = rng.randint(1 if blank else max(1, most_columns - 2), most_columns)
    pixels = configuration.beat_bytes // configuration.pc
    return Block(
        configuration=configuration,
        tile_rows=tile_rows, tile_columns=tile_columns, channel_blocks=channel_blocks, filter_blocks=rng.randint(1, 3),
        top_rows=top_rows, left_columns=left_columns, skip_columns=rng.randint(0, pixels - 1),
        buffer_base=0 if exclusive else number % 2 * room, plane_words=plane_words, row_words=row_words,
        exclusive=exclusive,
        planes=[[[[rng.randint(0, 255) for _ in range(configuration.pc)] for _ in range(input_columns)]
                 for _ in range(input_rows)] for _ in range(channel_blocks)],
    )
