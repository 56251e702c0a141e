"""The fetcher asks for no more than it has room for, and keeps its words."""

from __future__ import annotations

from amaranth.hdl import Signal
from formal.proof import Proof
from formal.reader_room import reader_room
from formal.steps import Steps

from cortado.gateware.configuration import BURST_BEATS
from cortado.gateware.descriptor_fetcher import LARGEST_COUNT, DescriptorFetcher

CASES = {"narrow": {"beat_bits": 64}}
STEPS = Steps(bounded=4, induction=3, reach=12)


def part(**case: int) -> DescriptorFetcher:
    """The circuit of one case."""
    return DescriptorFetcher(**case)


def claims(proof: Proof, *, beat_bits: int) -> None:
    """A job is started when the one before it is over; its list stays where it is until the reader knows of it."""
    m, fetcher = proof.m, proof.part
    asking = proof.inside("asking")
    # The driver writes the list before the start and leaves it; writes to the registers are two cycles apart.
    address, count, settled = Signal(32), Signal(32), Signal()
    m.d.sync += [address.eq(fetcher.address), count.eq(fetcher.count), settled.eq(1)]
    stays = settled & (fetcher.address == address) & (fetcher.count == count)
    proof.assume("list_stays", ~(fetcher.start | asking) | stays)
    # `AxiEngine` starts no job before the last word of the one before has been sent, or resets the fetcher between.
    proof.assume("one_job_at_a_time", ~fetcher.start | fetcher.sent)
    reader_room(proof, "reader.", fetcher.request, fetcher.i, beat_bits=beat_bits, prefetch_beats=2 * BURST_BEATS)
    aligned = address[:(beat_bits // 8 - 1).bit_length()] == 0
    proof.claim("asks_for_a_list", ~asking | ((count != 0) & (count <= LARGEST_COUNT) & aligned))
    proof.claim("reader_has_its_command", ~proof.inside("reader.active") | asking)
    proof.reach("bad_list", fetcher.bad_list)
