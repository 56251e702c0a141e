"""The master finishes every burst it has asked for, whatever stops it, and knows how many are under way."""

from __future__ import annotations

from amaranth.hdl import Mux, Signal, Value
from formal.outstanding import MOST_OUTSTANDING
from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.write_master import BURST_QUEUE, WriteMaster

CASES = {"narrow": {"beat_bits": 64}}
STEPS = Steps(bounded=4, induction=3, reach=12)


def part(**case: int) -> WriteMaster:
    """The circuit of one case."""
    return WriteMaster(**case)


def released(part: WriteMaster) -> dict[str, Value]:
    """A stop resets the writer, whose requests and data break off, and which takes no answer."""
    return {name: part.stop for name in ("request", "i", "response")}


def claims(proof: Proof, *, beat_bits: int) -> None:
    """The memory answers a burst when it has taken its address and its last beat, and in time."""
    m, master = proof.m, proof.part
    memory = master.memory
    asked = master.request.valid & master.request.ready
    # Bursts the memory has yet to answer, and those of them whose address, or whose last beat, it has yet to take.
    owed, unaddressed, unended = (Signal(bits, name=name) for name, bits in (
        ("owed", 16), ("unaddressed", 3), ("unended", 6)))
    for counter, happens in ((owed, memory.bvalid & memory.bready), (unaddressed, memory.awvalid & memory.awready),
                             (unended, memory.wvalid & memory.wready & memory.wlast)):
        m.d.sync += counter.eq(counter + asked - happens)
    proof.assume("memory_answers_finished_bursts", ~memory.bvalid | ((owed > unaddressed) & (owed > unended)))
    proof.assume("memory_answers_in_time", owed < MOST_OUTSTANDING)

    # Between a burst's address, or its beats, and the memory there is a register of two places.
    in_burst, bursts = proof.inside("in_burst"), proof.inside("bursts.level")
    waiting = {name: proof.inside(f"{name}.spare_valid") for name in ("addresses", "beats")}
    ends = memory.wvalid & memory.wlast, waiting["beats"] & proof.inside("beats.spare")[-1]
    proof.claim("outstanding_is_counted", proof.inside("outstanding") == owed)
    proof.claim("addresses_follow_requests", unaddressed == memory.awvalid + waiting["addresses"])
    proof.claim("every_burst_ends", unended == bursts + in_burst + ends[0] + ends[1])
    proof.claim("answers_come_last", (owed >= unaddressed) & (owed >= unended))
    proof.claim("a_burst_goes_on", ~memory.wvalid | Mux(waiting["beats"], ends[1], ends[0]) | in_burst)
    for name, shown in (("addresses", memory.awvalid), ("beats", memory.wvalid)):
        proof.claim(f"{name}_wait_behind_others", ~waiting[name] | shown)
    proof.claim("bursts_fit", bursts <= BURST_QUEUE)
    proof.claim("idle_means_idle", ~master.idle | (~memory.awvalid & ~memory.wvalid & (bursts == 0) & ~in_burst))
    proof.claim("a_stop_writes_nothing_new", ~master.stop | ~master.i.ready)
    proof.claim("none_asks_while_it_stops", ~master.stop | ~master.request.ready)
    proof.reach("burst_of_two_beats_answered", memory.bvalid & (memory.awlen == 1))
    proof.reach("stopped_in_a_burst", master.stop & in_burst)
    proof.reach("failed", master.failed)
