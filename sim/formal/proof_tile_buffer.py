"""The tile buffer knows which blocks are open, and reads no plane that has not been written."""

from __future__ import annotations

from amaranth.hdl import Mux
from formal.proof import Proof
from formal.smallest import SMALLEST
from formal.steps import Steps

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.tile_buffer import TileBuffer

CASES = {"smallest": SMALLEST}
STEPS = Steps(bounded=4, induction=3, reach=10)


def part(**case: int) -> TileBuffer:
    """The circuit of one case."""
    return TileBuffer(WinogradConfiguration(**case))


def claims(proof: Proof, **case: int) -> None:
    """The loader begins a block only when it may, and writes planes of the block it has begun."""
    buffer = proof.part
    command = buffer.command.payload
    opened, loading, reads, released = buffer.open_blocks, *(
        proof.inside(name) for name in ("loading", "read_block", "released"))
    complete = proof.inside("complete_0"), proof.inside("complete_1")
    proof.assume("loader_begins_when_it_may", ~buffer.begin | (opened < 2))
    plane_written = buffer.i.valid & buffer.i.payload.plane_last
    proof.assume("loader_writes_open_blocks", ~plane_written | (opened == 2) | ((opened == 1) & (loading == reads)))
    proof.assume("commands_have_tiles", (command.tile_rows != 0) & (command.tile_columns != 0)
                 & (command.channel_blocks != 0) & (command.filter_blocks != 0))

    proof.claim("two_blocks_at_most", opened <= 2)
    proof.claim("what_is_released_was_open", ~released | (opened != 0))
    proof.claim("nothing_of_a_closed_block", (opened != 0) | ((complete[0] == 0) & (complete[1] == 0)))
    proof.claim("nothing_of_a_block_ahead", (opened == 2) | (Mux(reads, complete[0], complete[1]) == 0))
    proof.claim("blocks_alternate", (loading == reads) == (opened == 1))
    proof.claim("writes_never_wait", buffer.i.ready)
    proof.claim("what_is_read_is_there", ~proof.inside("issue") | (Mux(reads, complete[1], complete[0]) != 0))
    proof.reach("two_blocks", opened == 2)
    proof.reach("released", released)
