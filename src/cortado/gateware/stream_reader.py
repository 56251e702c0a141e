"""Reading memory in bursts, ahead of need."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.axi import BOUNDARY_BYTES
from cortado.gateware.configuration import BURST_BEATS, PREFETCH_BEATS

REQUEST_LAYOUT = data.StructLayout({"address": unsigned(32), "beats": unsigned(8)})

COMMAND_LAYOUT = data.StructLayout({
    "address": unsigned(32),
    "run_beats": unsigned(32),
    "run_pitch": unsigned(32),
    "runs": unsigned(16),
    "plane_pitch": unsigned(32),
    "planes": unsigned(16),
})


def next_burst(address: Value, beats_left: Value, beat_bytes: int) -> Value:
    """Beats of the burst to ask for next: at most `BURST_BEATS`, none beyond a multiple of `BOUNDARY_BYTES`."""
    page_beats = BOUNDARY_BYTES // beat_bytes
    beat = address[(beat_bytes - 1).bit_length():(BOUNDARY_BYTES - 1).bit_length()]
    # Within the last BURST_BEATS of a page, the distance to its end; BURST_BEATS is a power of two.
    distance = BURST_BEATS - beat % BURST_BEATS
    limit = Mux(beat >= page_beats - BURST_BEATS, distance, BURST_BEATS)
    return Mux(beats_left > limit, limit, beats_left[:8])


class StreamReader(wiring.Component):
    """Reads `planes` times `runs` runs of `run_beats` consecutive beats, in that order, as one stream of beats.

    A burst is asked for only when there is room for all of it, so the memory never waits for the engine;
    `prefetch_beats` is the room.

    Members
    -------
    command : In(stream of COMMAND_LAYOUT)
    request : Out(stream of REQUEST_LAYOUT)
        One burst each, as `next_burst` cuts them; byte address.
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
        wiring.connect(m, held.w_stream, wiring.flipped(self.i))
        wiring.connect(m, wiring.flipped(self.o), held.r_stream)

        command = self.command.payload
        active = Signal()
        address = Signal(32)
        run_address = Signal(32)
        plane_address = Signal(32)
        beats_left = Signal(32)
        runs_left, planes_left = Signal(16), Signal(16)
        room = Signal(range(self._prefetch_beats + 1), init=self._prefetch_beats)
        burst = Signal(8)
        # The length of a burst is found in the cycle before it is asked for.
        more = Signal()
        sized = Signal()
        enough = Signal()
        next_beats = next_burst(address, beats_left, self._beat_bits // 8)
        m.d.sync += [burst.eq(next_beats), more.eq(beats_left != next_beats), enough.eq(room >= next_beats)]
        m.d.comb += [
            self.request.valid.eq(sized & enough),
            self.request.payload.address.eq(address),
            self.request.payload.beats.eq(burst),
        ]
        asked = self.request.valid & self.request.ready
        m.d.sync += sized.eq(active & ~asked)
        m.d.sync += room.eq(room - Mux(asked, burst, 0) + (self.o.valid & self.o.ready))

        with m.If(~active):
            with m.If(self.command.valid):
                m.d.sync += [
                    active.eq(1),
                    address.eq(command.address),
                    run_address.eq(command.address),
                    plane_address.eq(command.address),
                    beats_left.eq(command.run_beats),
                    runs_left.eq(command.runs),
                    planes_left.eq(command.planes),
                ]
        with m.Elif(asked):
            with m.If(more):
                m.d.sync += [
                    address.eq(address + burst * (self._beat_bits // 8)),
                    beats_left.eq(beats_left - burst),
                ]
            with m.Else():
                m.d.sync += beats_left.eq(command.run_beats)
                with m.If(runs_left != 1):
                    m.d.sync += [
                        address.eq(run_address + command.run_pitch),
                        run_address.eq(run_address + command.run_pitch),
                        runs_left.eq(runs_left - 1),
                    ]
                with m.Elif(planes_left != 1):
                    m.d.sync += [
                        address.eq(plane_address + command.plane_pitch),
                        run_address.eq(plane_address + command.plane_pitch),
                        plane_address.eq(plane_address + command.plane_pitch),
                        runs_left.eq(command.runs),
                        planes_left.eq(planes_left - 1),
                    ]
                with m.Else():
                    m.d.sync += active.eq(0)
                    # The command is held by its sender until its last burst has been asked for.
                    m.d.comb += self.command.ready.eq(1)
        return m
