"""The loader against nested loops over the padded image."""

from __future__ import annotations

import cocotb
from benches.block import Block, random_block
from benches.case import CASES
from benches.streams import PROFILES, Bench
from cocotb.handle import SimHandleBase

from cortado.gateware.block_loader import BlockLoader, loader_command_layout
from cortado.gateware.configuration import WinogradConfiguration

BLOCKS = 4


def part(**case: int) -> BlockLoader:
    """The circuit of one case."""
    return BlockLoader(WinogradConfiguration(**case))


@cocotb.test()
@cocotb.parametrize(case=list(CASES), profile=list(PROFILES), exclusive=[False, True], pointwise=[False, True])
async def every_pixel_is_written_to_its_place(dut: SimHandleBase, case: str, profile: str, exclusive: bool,
                                              pointwise: bool) -> None:
    """Blocks of several loads, padding on all sides, planes that are nothing else, pixels one to four columns apart."""
    bench = Bench(dut, case, part(**CASES[case]), profile)
    blocks = [random_block(bench.rng, WinogradConfiguration(**CASES[case]), number, exclusive=exclusive,
                           pointwise=pointwise) for number in range(BLOCKS)]
    await load(bench, blocks)


async def load(bench: Bench, blocks: list[Block]) -> None:
    """Has the loader write all blocks, and releases each some time after it is complete."""
    commands, beats, writes = bench.source("command"), bench.source("i"), bench.checked("o")
    ends = []  # writes after which each block is complete
    for block in blocks:
        commands.send(*block.loader_fields(loader_command_layout().members))
        beats.send(*block.beats(bench.rng))
        expected = list(block.writes())
        writes.expect(*expected)
        ends.append((ends[-1] if ends else 0) + len(expected))

    # The reader's side: a block is open from its begin until it is released.
    begun = released = 0
    open_blocks, begin = bench.port("open_blocks"), bench.port("begin")

    def release() -> None:
        nonlocal released
        if released < begun and writes.received >= ends[released] and bench.rng.random() < 0.05:
            released += 1
        open_blocks.value = begun - released

    def count() -> None:
        nonlocal begun
        if int(begin.value):
            assert begun - released < (1 if blocks[begun].exclusive else 2), (
                "a block may begin only when there is room for it")
            begun += 1

    bench.on_drive.append(release)
    bench.on_look.append(count)
    open_blocks.value = 0
    await bench.reset()
    await bench.run(60 * ends[-1] + 1000, more=lambda: released < len(blocks))
    assert begun == len(blocks), "a block begins once, however many loads it has"
