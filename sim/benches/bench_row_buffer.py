"""The row buffer against a picture put together tile by tile."""

from __future__ import annotations

import random
from collections.abc import Iterator

import cocotb
from benches.case import CASES
from benches.payload import Plain
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.row_buffer import RowBuffer

BLOCKS = 12
Picture = list[list[list[int]]]
"""Rows of pixels of pk channels."""


def part(**case: int) -> RowBuffer:
    """The circuit of one case."""
    return RowBuffer(WinogradConfiguration(**case))


def picture_of(rng: random.Random, rows: int, columns: int, configuration: WinogradConfiguration) -> Picture:
    """Random pixels."""
    return [[[number_of(rng, configuration) for _ in range(configuration.pk)] for _ in range(columns)]
            for _ in range(rows)]


def number_of(rng: random.Random, configuration: WinogradConfiguration) -> int:
    """A random number of a pixel."""
    limit = 2 ** (configuration.data_bits - 1)
    return rng.randint(-limit, limit - 1)


def tiles_of(picture: Picture, edge: int, pk: int) -> Iterator[dict[str, Plain]]:
    """The m x m results of each tile, output channel by output channel."""
    for top in range(0, len(picture), edge):
        for left in range(0, len(picture[0]), edge):
            for channel in range(pk):
                yield {"y": [picture[top + row][left + column][channel] for row in range(edge)
                             for column in range(edge)], "channel": channel}


def steps_of(row: list[list[int]], configuration: WinogradConfiguration,
             rng: random.Random) -> Iterator[dict[str, Plain]]:
    """A row of pixels as pointwise tiles give it out: some groups of m pixels in each step, then junk."""
    edge, groups = configuration.m, configuration.alpha**2 // configuration.m
    lanes = -(-groups // -(-groups // edge))
    for first in range(0, len(row), lanes * edge):
        here = row[first:first + lanes * edge]
        for channel in range(configuration.pk):
            rest = [number_of(rng, configuration) for _ in range(edge**2 - len(here))]
            yield {"y": [pixel[channel] for pixel in here] + rest, "channel": channel}


def segments_of(row: list[list[int]], configuration: WinogradConfiguration) -> Iterator[dict[str, Plain]]:
    """A row of pixels, m at a time."""
    edge, size = configuration.m, configuration.data_bits // 8
    for column in range(0, len(row), edge):
        content = b"".join(value.to_bytes(size, "little", signed=True)
                           for pixel in row[column:column + edge] for value in pixel)
        yield {"pixels": int.from_bytes(content, "little"), "first": int(column == 0),
               "last": int(column + edge == len(row))}


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def tiles_become_rows(dut: SimHandleBase, case: str, profile: str) -> None:
    """Blocks of tiles of either kind, one after the other."""
    configuration = WinogradConfiguration(**CASES[case])
    edge, pk, widest = configuration.m, configuration.pk, configuration.block_columns
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    commands, tiles, segments = bench.source("command"), bench.source("i"), bench.checked("o")
    work = 0
    for _ in range(BLOCKS):
        tile_rows, filter_blocks, pointwise = rng.randint(1, 3), rng.randint(1, 3), rng.randrange(2)
        tile_columns = rng.choice([1, widest, rng.randint(1, widest)])
        output_rows = rng.randint((tile_rows - 1) * edge + 1, tile_rows * edge)
        if pointwise:
            # A pointwise block is one row, and may be wider than the buffer.
            tile_rows = output_rows = 1
            tile_columns = rng.choice([1, widest + 1, rng.randint(1, widest)])
        commands.send({"tile_rows": tile_rows, "tile_columns": tile_columns, "filter_blocks": filter_blocks,
                       "output_rows": output_rows, "pointwise": pointwise})
        for _ in range(filter_blocks):
            if pointwise:
                pixels = tile_columns * (configuration.alpha**2 // edge * edge)
                row, = picture_of(rng, 1, pixels, configuration)
                sent, received = list(steps_of(row, configuration, rng)), list(segments_of(row, configuration))
            else:
                picture = picture_of(rng, tile_rows * edge, tile_columns * edge, configuration)
                sent = list(tiles_of(picture, edge, pk))
                received = [segment for row in picture[:output_rows] for segment in segments_of(row, configuration)]
            tiles.send(*sent)
            segments.expect(*received)
            work += len(sent) + len(received)

    def full() -> None:
        waits = int(bench.port("i.valid").value) and not int(bench.port("i.ready").value)
        assert not int(bench.port("full").value) or tiles.sent >= pk, "full needs a row of tiles"
        if waits and int(bench.port("full").value):
            seen.add("full")

    seen: set[str] = set()
    bench.on_look.append(full)
    await bench.reset()
    await bench.run(100 * work)
    assert int(bench.port("full").value) == 0
    if profile == "pressed":
        assert seen, "the bench must have filled both rows of tiles"
