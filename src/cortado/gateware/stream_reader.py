"""Reading memory in bursts, ahead of need."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.axi import BOUNDARY_BYTES
from cortado.gateware.configuration import BURST_BEATS, PREFETCH_BEATS
from cortado.gateware.loop_count import LoopCount

REQUEST_LAYOUT = data.StructLayout({"address": unsigned(32), "beats": unsigned(8)})

COMMAND_LAYOUT = data.StructLayout({
    "address": unsigned(32),
    "run_beats": unsigned(32),
    "run_pitch": unsigned(32),
    "runs": unsigned(16),
    "plane_pitch": unsigned(32),
    "planes": unsigned(16),
})


class NextBurst:
    """The burst to ask for next: at most `BURST_BEATS`, none beyond a multiple of `BOUNDARY_BYTES`.

    In registers, which follow `address` and `beats_left` a cycle later.

    Members
    -------
    beats : Signal(8)
    more : Signal
        More of the run follows.
    address_after, left_after : Signal(32)
        Where it follows and how many beats it has then, where more follows.
    """

    def __init__(self, m: Module, address: Value, beats_left: Value, beat_bytes: int) -> None:
        self.beats, self.more = Signal(8, name="burst"), Signal(name="more")
        self.address_after, self.left_after = (Signal.like(value, name=name) for value, name in (
            (address, "address_after"), (beats_left, "left_after")))
        # BURST_BEATS and the beats of a page are powers of two: a burst goes as far as the first beat that has the same
        # place among BURST_BEATS, or to the end of the page.
        first, bits = (beat_bytes - 1).bit_length(), (BURST_BEATS - 1).bit_length()
        place, ends_page = address[first:first + bits], address[first + bits:(BOUNDARY_BYTES - 1).bit_length()].all()
        skipped = Mux(ends_page, place, 0)
        limit = BURST_BEATS - skipped
        more = beats_left[bits + 1:].any() | (beats_left[:bits + 1] > limit)
        m.d.sync += [
            self.beats.eq(Mux(more, limit, beats_left[:bits + 1])),
            self.more.eq(more),
            self.address_after.eq(Cat(address[:first], Mux(ends_page, 0, place), address[first + bits:] + 1)),
            self.left_after.eq(beats_left - BURST_BEATS + skipped),
        ]


class StreamReader(wiring.Component):
    """Reads `planes` times `runs` runs of `run_beats` consecutive beats, in that order, as one stream of beats.

    A burst is asked for only when there is room for a whole one, so the memory never waits for the engine;
    `prefetch_beats` is the room. Bursts follow each other every second cycle at most.

    Members
    -------
    command : In(stream of COMMAND_LAYOUT)
    request : Out(stream of REQUEST_LAYOUT)
        One burst each, as `NextBurst` cuts them; byte address.
    i : In(stream of beats)
        The answers, in order.
    o : Out(stream of beats)
    """

    def __init__(self, *, beat_bits: int, prefetch_beats: int = PREFETCH_BEATS) -> None:
        self._beat_bits, self._prefetch_beats = beat_bits, prefetch_beats
        super().__init__({
            "command": In(stream.Signature(COMMAND_LAYOUT)),
            "request": Out(stream.Signature(REQUEST_LAYOUT)),
            "i": In(stream.Signature(unsigned(beat_bits))),
            "o": Out(stream.Signature(unsigned(beat_bits))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.held = held = fifo.SyncFIFOBuffered(width=self._beat_bits, depth=self._prefetch_beats)
        # There is always room for what has been asked for, so the memory need not hear whether there is.
        m.d.comb += [
            held.w_stream.payload.eq(self.i.payload),
            held.w_stream.valid.eq(self.i.valid),
            self.i.ready.eq(1),
        ]
        wiring.connect(m, wiring.flipped(self.o), held.r_stream)

        command = self.command.payload
        active = Signal()
        address, run_address, plane_address, beats_left = (Signal(32, name=name) for name in (
            "address", "run_address", "plane_address", "beats_left"))
        runs, planes = LoopCount("runs", command.runs), LoopCount("planes", command.planes)
        # What comes next is found in the cycle before it is asked for.
        burst = NextBurst(m, address, beats_left, self._beat_bits // 8)
        next_run, next_plane = Signal(32), Signal(32)
        sized = Signal()
        asked = self.request.valid & self.request.ready
        m.d.sync += [
            next_run.eq(run_address + command.run_pitch),
            next_plane.eq(plane_address + command.plane_pitch),
            sized.eq(active & ~asked),
        ]

        # Kept a cycle late: a burst takes two cycles at least.
        room = Signal(range(self._prefetch_beats + 1), init=self._prefetch_beats)
        spent = Signal.like(burst.beats)
        given = Signal()
        m.d.sync += [
            spent.eq(Mux(asked, burst.beats, 0)),
            given.eq(self.o.valid & self.o.ready),
            room.eq(room - spent + given),
        ]
        m.d.comb += [
            self.request.valid.eq(sized & (room >= BURST_BEATS)),
            self.request.payload.address.eq(address),
            self.request.payload.beats.eq(burst.beats),
        ]

        with m.If(~active):
            m.d.sync += [
                active.eq(self.command.valid),
                *(start.eq(command.address) for start in (address, run_address, plane_address)),
                beats_left.eq(command.run_beats),
                *runs.begins(),
                *planes.begins(),
            ]
        with m.Elif(asked):
            next_start = Mux(runs.is_last, next_plane, next_run)
            m.d.sync += [
                address.eq(Mux(burst.more, burst.address_after, next_start)),
                beats_left.eq(Mux(burst.more, burst.left_after, command.run_beats)),
            ]
            with m.If(~burst.more):
                m.d.sync += run_address.eq(next_start)
                runs.advance(m)
                with m.If(runs.is_last):
                    m.d.sync += plane_address.eq(next_plane)
                    planes.advance(m)
                    with m.If(planes.is_last):
                        m.d.sync += active.eq(0)
                        # The command is held by its sender until its last burst has been asked for.
                        m.d.comb += self.command.ready.eq(1)
        return m
