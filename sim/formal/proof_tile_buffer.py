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
    opened, loading, oldest, reads, unread, ended, released = buffer.open_blocks, *(
        proof.inside(name) for name in ("loading", "oldest_block", "read_block", "unread", "ended", "released"))
    complete = proof.inside("complete_0"), proof.inside("complete_1")
    proof.assume("loader_begins_when_it_may", ~buffer.begin | (opened < 2))
    plane_written = buffer.i.valid & buffer.i.payload.plane_last
    proof.assume("loader_writes_open_blocks", ~plane_written | (opened == 2) | ((opened == 1) & (loading == oldest)))
    # The decoder passes no block of more planes than the memories have words.
    written = Mux(loading, complete[1], complete[0])
    proof.assume("planes_can_be_counted", (written < 2**15) & (command.channel_blocks < 2**15))
    proof.assume("commands_have_tiles", (command.tile_rows != 0) & (command.tile_columns != 0)
                 & (command.channel_blocks != 0) & (command.filter_blocks != 0))

    proof.claim("two_blocks_at_most", opened <= 2)
    proof.claim("what_is_released_was_open", ~released | (opened != 0))
    proof.claim("nothing_of_a_closed_block", (opened != 0) | ((complete[0] == 0) & (complete[1] == 0)))
    proof.claim("nothing_of_a_block_ahead", (opened == 2) | (Mux(oldest, complete[0], complete[1]) == 0))
    proof.claim("blocks_alternate", (loading == oldest) == (opened == 1))
    # Of a block that has been asked for: its last tile is on its way to the memories, or has just been read.
    last_places = sum(proof.inside(f"places.{valid}") & proof.inside(f"places.{name}")[-1]
                      for valid, name in (("o__valid", "o__payload"), ("spare_valid", "spare")))
    proof.claim("blocks_asked_for_are_counted", last_places + released == unread + ended)
    proof.claim("blocks_asked_for_are_open", unread + ended <= opened)
    proof.claim("released_a_cycle_after_its_end", ~released | (unread != 0))
    proof.claim("reads_the_block_behind", reads == (oldest ^ unread[0]))
    proof.claim("writes_never_wait", buffer.i.ready)
    proof.claim("what_is_read_is_there", ~proof.inside("issue") | (Mux(reads, complete[1], complete[0]) != 0))
    # Why it is: what is said to be complete is.
    active, channel, following, present, next_present, all_present, left, is_last = (proof.inside(name) for name in (
        "active", "channel", "following", "present", "next_present", "all_present", "channel_blocks_left",
        "last_of_channel_blocks"))
    planes = Mux(reads, complete[1], complete[0])
    proof.claim("no_third_block", ~(active | ended) | (unread < 2))
    proof.claim("ends_once", ~(active & ended))
    proof.claim("works_on_a_command", ~active | buffer.command.valid)
    proof.claim("channel_blocks_follow_each_other", following == (channel + 1)[:len(following)])
    proof.claim("channel_blocks_are_counted", Mux(
        active, (left != 0) & (channel + left == command.channel_blocks) & (is_last == (left == 1)), channel == 0))
    proof.claim("present", ~active | ~present | (planes > channel))
    proof.claim("next_present", ~active | ~next_present | all_present | (planes > following))
    proof.claim("all_present", ~all_present | ((active | ended) & (planes >= command.channel_blocks)))
    proof.reach("two_blocks", opened == 2)
    proof.reach("released", released)
    proof.reach("asks_before_the_last_is_read", active & (unread == 1))
