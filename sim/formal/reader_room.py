"""What holds inside a stream reader at all times, for its own proof and those of the components it is part of."""

from __future__ import annotations

from amaranth.hdl import Mux, Signal, Value
from amaranth.lib import data
from formal.proof import Proof

from cortado.gateware.axi import BOUNDARY_BYTES
from cortado.gateware.configuration import BURST_BEATS
from cortado.gateware.stream_reader import REQUEST_LAYOUT


def reader_room(proof: Proof, path: str, request: object, answers: object, *, beat_bits: int,
                prefetch_beats: int) -> None:
    """Claims that the reader at `path` (`reader.`, or empty for the component itself) asks for no more than it has room
    for, in bursts that a port may carry: every beat of room is free, owed by the memory or held.

    `request` and `answers` are the streams to and from the memory, which answers what was asked. Requests of a reader
    inside a component come to it through a `StreamRegister` at `request_register`.
    """
    m, label = proof.m, path.replace(".", "_")
    offset_bits, page = (beat_bits // 8 - 1).bit_length(), (BOUNDARY_BYTES - 1).bit_length()
    owed = Signal(range(4 * prefetch_beats), name=f"{label}owed")
    asked, answered = request.valid & request.ready, answers.valid & answers.ready
    m.d.sync += owed.eq(owed + Mux(asked, request.payload.beats, 0) - answered)
    proof.assume(f"{label}memory_answers_what_was_asked", ~answers.valid | (owed != 0))

    def may_be_carried(burst: data.View) -> Value:
        """Whether a port may carry the burst."""
        beat = burst.address[offset_bits:page]
        return ((burst.beats >= 1) & (burst.beats <= BURST_BEATS) & (beat + burst.beats <= 2**len(beat))
                & (burst.address[:offset_bits] == 0))

    valid, ready, payload = (proof.inside(f"{path}request__{name}") for name in ("valid", "ready", "payload"))
    burst = data.View(REQUEST_LAYOUT, payload)
    # Beats that the reader has asked for and not given out, and those of bursts on their way to the memory: counters of
    # their own, so that the solver has a few terms to weigh at a time.
    due, ahead, on_their_way = Signal.like(owed, name=f"{label}due"), Signal.like(owed, name=f"{label}ahead"), []
    asks = Mux(valid & ready, burst.beats, 0)
    m.d.sync += [
        due.eq(due + asks - (proof.inside(f"{path}o__valid") & proof.inside(f"{path}o__ready"))),
        ahead.eq(ahead + asks - Mux(asked, request.payload.beats, 0)),
    ]
    for name, valid_name in (("o__payload", "o__valid"), ("spare", "spare_valid")) if path else ():
        waits = proof.inside(f"request_register.{valid_name}")
        waiting = data.View(REQUEST_LAYOUT, proof.inside(f"request_register.{name}"))
        proof.claim(f"{label}{valid_name}_may_be_carried", ~waits | may_be_carried(waiting))
        on_their_way.append(Mux(waits, waiting.beats, 0))
    proof.claim(f"{label}requests_on_their_way_are_counted", ahead == sum(on_their_way))
    # What is asked for leaves the room a cycle late, and what is given comes back a cycle late.
    room, spent, given, active, held, held_level, shown = (proof.inside(f"{path}{name}") for name in (
        "room", "spent", "given", "active", "held.level", "held.inner_level", "held.r_rdy"))
    proof.claim(f"{label}memory_never_waits", ~answers.valid | proof.inside(f"{path}held.w_rdy"))
    proof.claim(f"{label}room_is_counted", room + given + due == prefetch_beats + spent)
    proof.claim(f"{label}beats_are_somewhere", due == ahead + owed + held)
    proof.claim(f"{label}queue_moves_on", (held_level <= 1) | shown)
    proof.claim(f"{label}a_burst_fits", ~valid | (burst.beats + due <= prefetch_beats))
    left, sized = proof.inside(f"{path}beats_left"), proof.inside(f"{path}sized")
    proof.claim(f"{label}beats_left", ~active | (left != 0))
    proof.claim(f"{label}bursts_are_of_a_command", ~sized | active)
    proof.claim(f"{label}bursts_may_be_carried", ~sized | (may_be_carried(burst) & (burst.beats <= left)))
    proof.claim(f"{label}more_follows", ~sized | (proof.inside(f"{path}more") == (burst.beats != left)))
    for loop in ("runs", "planes"):
        steps_left, is_last = proof.inside(f"{path}{loop}_left"), proof.inside(f"{path}last_of_{loop}")
        proof.claim(f"{label}{loop}_are_counted", ~active | ((steps_left != 0) & (is_last == (steps_left == 1))))
    for name in ("address", "run_address", "plane_address"):
        proof.claim(f"{label}{name}_is_aligned", ~active | (proof.inside(f"{path}{name}")[:offset_bits] == 0))
    proof.reach(f"{label}room_used_up", room == 0)
