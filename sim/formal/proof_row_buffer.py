"""The row buffer gives out only rows that are complete, and writes none over one that is still to be given out."""

from __future__ import annotations

from amaranth.hdl import Mux
from formal.proof import Proof
from formal.smallest import PAIRS, SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.row_buffer import RowBuffer

CASES = {"smallest": SMALLEST, "pairs": PAIRS}
STEPS = Steps(bounded=4, induction=3, reach=14)


def part(**case: int) -> RowBuffer:
    """The circuit of one case."""
    return RowBuffer(WinogradConfiguration(**case))


def claims(proof: Proof, *, pk: int, **case: int) -> None:
    """Rows of tiles alternate between two halves."""
    rows = proof.part
    command = rows.command.payload
    proof.assume("commands_have_tiles", (command.tile_rows != 0) & (command.tile_columns != 0)
                 & (command.filter_blocks != 0) & (command.output_rows != 0))
    taken = proof.inside("taken_0"), proof.inside("taken_1")
    fills, gives, completes, given = (
        proof.inside(name) for name in ("fill_half", "give_half", "row_complete", "row_given"))
    tile_complete = rows.i.valid & rows.i.ready & (rows.i.payload.channel == pk - 1)
    for half in range(2):
        proof.claim(f"nothing_is_overwritten_{half}", ~tile_complete | (fills != half) | ~taken[half])
        proof.claim(f"only_complete_rows_are_given_{half}", ~given | (gives != half) | taken[half])
    proof.claim("room", ~proof.inside("room") | ~Mux(fills, taken[1], taken[0]))
    proof.claim("halves_alternate", (fills == gives) == (taken[0] == taken[1]))
    proof.claim("the_half_given_is_the_older", (taken[0] == taken[1]) | (taken[0] & ~gives) | (taken[1] & gives))
    proof.claim("full", rows.full == (taken[0] & taken[1]))
    proof.reach("full", rows.full)
    proof.reach("block_done", rows.command.valid & rows.command.ready)
    proof.reach("row_complete", completes)
