"""The arbiter keeps its offers to the memory and to the readers, and knows how many bursts are under way."""

from __future__ import annotations

from amaranth.hdl import Signal, Value
from formal.outstanding import MOST_OUTSTANDING
from formal.proof import Proof
from formal.steps import Steps

from cortado.gateware.read_arbiter import ReadArbiter

CASES = {"three_readers": {"readers": ("a", "b", "c"), "beat_bits": 64}}
STEPS = Steps(bounded=4, induction=3, reach=10)


def part(**case: object) -> ReadArbiter:
    """The circuit of one case."""
    return ReadArbiter(**case)


def released(part: ReadArbiter) -> dict[str, Value]:
    """A stop resets the readers, and what they would be given is dropped."""
    return {name: part.stop for reader in CASES["three_readers"]["readers"] for name in (reader, f"{reader}_request")}


def claims(proof: Proof, *, readers: tuple[str, ...], beat_bits: int) -> None:
    """The memory answers what was asked, each burst with as many beats as it has, and in time."""
    m, arbiter = proof.m, proof.part
    memory = arbiter.memory
    requests, beats, failed = ([getattr(arbiter, f"{reader}{end}") for reader in readers]
                               for end in ("_request", "", "_failed"))
    asked, ended = memory.arvalid & memory.arready, memory.rvalid & memory.rready & memory.rlast
    owed = Signal(16)
    m.d.sync += owed.eq(owed + asked - ended)
    proof.assume("memory_answers_what_was_asked", ~memory.rvalid | ((owed != 0) & (memory.rid < len(readers))))
    proof.assume("memory_answers_in_time", ~asked | (owed < MOST_OUTSTANDING))

    proof.claim("outstanding_is_counted", proof.inside("outstanding") == owed + memory.arvalid + proof.inside("ended"))
    proof.claim("outstanding_fits", owed <= MOST_OUTSTANDING)
    proof.claim("idle_means_idle", ~arbiter.idle | (~memory.arvalid & (owed == 0)))
    proof.claim("one_request_at_a_time", sum(request.ready for request in requests) <= 1)
    proof.claim("one_reader_a_beat", sum(reader.valid for reader in beats) <= 1)
    proof.claim("none_asks_while_it_stops", ~arbiter.stop | (sum(request.ready for request in requests) == 0))
    proof.claim("what_is_dropped_never_waits", ~arbiter.stop | memory.rready)
    proof.reach("dropped", arbiter.stop & memory.rvalid)
    proof.reach("failed", failed[-1])
