"""Bursts that the memory has yet to answer."""

from __future__ import annotations

from amaranth.hdl import Signal
from formal.proof import Proof

# More bursts than any memory lets wait.
MOST_OUTSTANDING = 2**15


def outstanding(proof: Proof, request: object, response: object) -> Signal:
    """How many bursts of `request` have not been answered on `response`; the memory answers what was asked, in time."""
    owed = Signal(16, name="owed")
    asked, answered = request.valid & request.ready, response.valid & response.ready
    proof.m.d.sync += owed.eq(owed + asked - answered)
    proof.assume("memory_answers_what_was_asked", ~response.valid | (owed != 0))
    proof.assume("memory_answers_in_time", ~asked | (owed < MOST_OUTSTANDING))
    proof.claim("outstanding_fits", owed <= MOST_OUTSTANDING)
    return owed
