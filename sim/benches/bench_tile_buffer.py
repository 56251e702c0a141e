"""The tile buffer against nested loops over the padded image."""

from __future__ import annotations

import cocotb
from benches.block import random_block
from benches.case import CASES
from benches.payload import Plain
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.tile_buffer import TileBuffer, reader_command_layout

BLOCKS = 4


def part(**case: int) -> TileBuffer:
    """The circuit of one case."""
    return TileBuffer(WinogradConfiguration(**case))


def without_rest(configuration: WinogradConfiguration, tile: dict[str, Plain]) -> dict[str, Plain]:
    """A tile; where it is pointwise what follows its last whole group of m pixels means nothing."""
    if not tile["pointwise"]:
        return tile
    pixels = configuration.alpha**2 // configuration.m * configuration.m
    rest = configuration.alpha**2 - pixels
    return {**tile, "pixels": [channel[:pixels] + [0] * rest for channel in tile["pixels"]]}


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES), exclusive=[False, True], pointwise=[False, True])
async def every_tile_comes_once_in_each_filter_block(dut: SimHandleBase, case: str, profile: str, exclusive: bool,
                                                     pointwise: bool) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    commands, writes = bench.source("command"), bench.source("i")
    tiles = bench.checked("o", lambda tile: without_rest(configuration, tile))
    blocks = [random_block(bench.rng, configuration, number, exclusive=exclusive, pointwise=pointwise)
              for number in range(BLOCKS)]
    for block in blocks:
        commands.send(block.reader_fields(reader_command_layout().members))
        tiles.expect(*block.tiles())
    total = sum(1 for block in blocks for _ in block.tiles()) + sum(1 for block in blocks for _ in block.writes())

    # The loader's side: a block begins when there is room for it, and is written from the next cycle on.
    waiting = list(blocks)
    open_blocks, begin = bench.port("open_blocks"), bench.port("begin")

    def load() -> None:
        begins = bool(waiting) and writes.drained and int(open_blocks.value) < (1 if exclusive else 2)
        begin.value = int(begins)
        if begins:
            writes.send(*waiting.pop(0).writes())

    def look() -> None:
        assert 0 <= int(open_blocks.value) <= 2
        assert int(bench.port("i.ready").value), "the loader is never kept waiting"

    bench.on_drive.append(load)
    bench.on_look.append(look)
    begin.value = 0
    await bench.reset()
    await bench.run(60 * total + 1000, more=lambda: bool(waiting))
    assert int(open_blocks.value) == 0, "every block is released"
    assert int(bench.port("reading").value) == 0
