"""Every result meets a record, and the queue of records counts right."""

from __future__ import annotations

from amaranth.hdl import Signal
from formal.proof import Proof
from formal.smallest import PAIRS, SMALLEST
from formal.steps import Steps

from cortado.gateware.channel_record import ChannelRecords
from cortado.gateware.configuration import WinogradConfiguration

CASES = {"smallest": SMALLEST, "pairs": PAIRS}
STEPS = Steps(bounded=4, induction=3, reach=10)


def part(**case: int) -> ChannelRecords:
    """The circuit of one case."""
    return ChannelRecords(WinogradConfiguration(**case))


def claims(proof: Proof, *, tiles: int, **case: int) -> None:
    """Records that have come in are queued until the last result of their filter block has passed."""
    m, records = proof.m, proof.part
    # They come ahead of the weights whose sums the results are.
    proof.assume("records_come_before_results", ~records.i.valid | proof.inside("queue.r_rdy"))
    proof.pipeline()
    proof.queue("queue", tiles)
    held = Signal(range(2 * tiles))
    taken = records.i.valid & records.i.ready
    ends = taken & records.i.payload.last
    m.d.sync += held.eq(held + (records.i_records.valid & records.i_records.ready) - ends)
    proof.claim("a_record_a_filter_block", held == proof.inside("queue.level"))
    proof.claim("no_result_without_a_record", ~taken | (held != 0))
    proof.reach("queue_full", records.i_records.valid & ~records.i_records.ready)
