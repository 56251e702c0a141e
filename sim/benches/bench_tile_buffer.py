"""The tile buffer against nested loops over the padded image."""

from __future__ import annotations

import cocotb
from benches.block import random_block
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.tile_buffer import TileBuffer, reader_command_layout

BLOCKS = 8


def part(**case: int) -> TileBuffer:
    """The circuit of one case."""
    return TileBuffer(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES), exclusive=[False, True])
async def every_tile_comes_once_in_each_filter_block(dut: SimHandleBase, case: str, profile: str,
                                                     exclusive: bool) -> None:
    configuration = WinogradConfiguration(**CASES[case])
    bench = Bench(dut, case, part(**CASES[case]), profile)
    commands, writes, tiles = bench.source("command"), bench.source("i"), bench.checked("o")
    blocks = [random_block(bench.rng, configuration, number, exclusive) for number in range(BLOCKS)]
    for block in blocks:
        commands.send(block.fields(reader_command_layout().members))
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
