"""The loader keeps its offers, and begins a block only when it may."""

from __future__ import annotations

from amaranth.hdl import Mux
from formal.proof import Proof
from formal.smallest import PAIRS, SMALLEST
from formal.steps import Steps

from cortado.gateware.block_loader import BlockLoader
from cortado.gateware.configuration import LARGEST_STRIDE, WinogradConfiguration

CASES = {"smallest": SMALLEST, "pairs": PAIRS}
STEPS = Steps(bounded=4, induction=3, reach=20)


def part(**case: int) -> BlockLoader:
    """The circuit of one case."""
    return BlockLoader(WinogradConfiguration(**case))


def claims(proof: Proof, *, m: int, **case: int) -> None:
    """Commands are as the decoder passes them on."""
    loader = proof.part
    command = loader.command.payload
    proof.assume("commands_have_tiles",
                 (command.tile_rows != 0) & (command.tile_columns != 0) & (command.planes != 0))
    proof.assume("commands_have_a_step", (command.column_step != 0) & (command.column_step <= LARGEST_STRIDE))
    proof.assume("padding_ahead_fits_a_group", command.left_columns < m)

    active = proof.inside("active")
    proof.claim("works_on_a_command", ~active | loader.command.valid)
    proof.claim("begins_when_it_may", ~loader.begin | (loader.open_blocks < Mux(command.exclusive, 1, 2)))
    proof.claim("takes_beats_for_a_block_only", active | ~loader.i.ready)
    proof.reach("block_done", loader.command.valid & loader.command.ready)
    proof.reach("pixels_written", loader.o.valid & loader.o.ready & (loader.o.payload.pixels != 0))
