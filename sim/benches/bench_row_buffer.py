"""The row buffer against a picture put together tile by tile."""

from __future__ import annotations

import cocotb
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.row_buffer import RowBuffer

BLOCKS = 12


def part(**case: int) -> RowBuffer:
    """The circuit of one case."""
    return RowBuffer(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES))
async def tiles_become_rows(dut: SimHandleBase, case: str, profile: str) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    edge, pk = configuration.m, configuration.pk
    bench = Bench(dut, case, part(**CASES[case]), profile)
    rng = bench.rng
    commands, tiles, segments = bench.source("command"), bench.source("i"), bench.checked("o")
    work = 0
    for _ in range(BLOCKS):
        tile_rows, filter_blocks = rng.randint(1, 3), rng.randint(1, 3)
        tile_columns = rng.choice([1, configuration.block_columns, rng.randint(1, configuration.block_columns)])
        output_rows = rng.randint((tile_rows - 1) * edge + 1, tile_rows * edge)
        commands.send({"tile_rows": tile_rows, "tile_columns": tile_columns, "filter_blocks": filter_blocks,
                       "output_rows": output_rows})
        for _ in range(filter_blocks):
            picture = [[[rng.randint(-128, 127) for _ in range(pk)] for _ in range(tile_columns * edge)]
                       for _ in range(tile_rows * edge)]
            for tile in range(tile_rows * tile_columns):
                top, left = tile // tile_columns * edge, tile % tile_columns * edge
                for channel in range(pk):
                    tiles.send({"y": [picture[top + row][left + column][channel]
                                      for row in range(edge) for column in range(edge)], "channel": channel})
            for row in picture[:output_rows]:
                for column in range(tile_columns):
                    pixels = [value & 255 for pixel in row[column * edge:(column + 1) * edge] for value in pixel]
                    segments.expect({"pixels": int.from_bytes(bytes(pixels), "little"), "first": int(column == 0),
                                     "last": int(column == tile_columns - 1)})
            work += tile_rows * tile_columns * (pk + edge)

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
