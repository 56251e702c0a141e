"""Writing a stream of beats to memory in bursts."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import BURST_BEATS
from cortado.gateware.loop_count import LoopCount
from cortado.gateware.stream_reader import REQUEST_LAYOUT, NextBurst

# Beats that may wait for the memory.
WRITE_QUEUE = 2 * BURST_BEATS


def stream_writer_command_layout() -> data.StructLayout:
    """`planes` runs of `run_beats` consecutive beats each."""
    return data.StructLayout({
        "address": unsigned(32),
        "run_beats": unsigned(32),
        "plane_pitch": unsigned(32),
        "planes": unsigned(16),
    })


class StreamWriter(wiring.Component):
    """Writes the beats that come to consecutive places of each run, one run after the other.

    Bursts are cut as `NextBurst` says. A burst is asked for when all of its beats are there, so the memory never
    waits for the engine.

    Members
    -------
    command : In(stream of stream_writer_command_layout())
        Held by its sender until the last burst has been asked for.
    i : In(stream of beats)
    request : Out(stream of REQUEST_LAYOUT)
    o : Out(stream of beats)
    response : In(stream of 1 bit)
        One for each burst, 1 for an error.
    idle : Out(1)
        Nothing is held and every burst has been answered. Known a cycle late, both when it begins and when it ends.
    failed : Out(1)
        High for each burst answered with an error.
    """

    def __init__(self, *, beat_bits: int) -> None:
        self._beat_bits = beat_bits
        super().__init__({
            "command": In(stream.Signature(stream_writer_command_layout())),
            "i": In(stream.Signature(unsigned(beat_bits))),
            "request": Out(stream.Signature(REQUEST_LAYOUT)),
            "o": Out(stream.Signature(unsigned(beat_bits))),
            "response": In(stream.Signature(1)),
            "idle": Out(1, init=1),
            "failed": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        command = self.command.payload
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=self._beat_bits, depth=WRITE_QUEUE)
        wiring.connect(m, wiring.flipped(self.i), queue.w_stream)

        active = Signal()
        address, plane_address, beats_left = (Signal(32, name=name) for name in (
            "address", "plane_address", "beats_left"))
        planes = LoopCount("planes", command.planes)
        # What comes next is found in the cycle before it is asked for.
        burst = NextBurst(m, address, beats_left, self._beat_bits // 8)
        next_plane = Signal(32)
        sized = Signal()
        asked, gone = self.request.valid & self.request.ready, self.o.valid & self.o.ready
        m.d.sync += [next_plane.eq(plane_address + command.plane_pitch), sized.eq(active & ~asked)]
        # Beats in the queue that no burst has been asked for, and beats of asked bursts that are yet to go.
        unasked = Signal(range(WRITE_QUEUE + 2))
        promised = Signal(range(WRITE_QUEUE + 2))
        m.d.comb += [
            self.request.valid.eq(sized & (unasked >= burst.beats)),
            self.request.payload.address.eq(address),
            self.request.payload.beats.eq(burst.beats),
            self.o.payload.eq(queue.r_data),
            self.o.valid.eq(queue.r_rdy & (promised != 0)),
            queue.r_en.eq(self.o.ready & (promised != 0)),
        ]
        m.d.sync += [
            unasked.eq(unasked + (self.i.valid & self.i.ready) - Mux(asked, burst.beats, 0)),
            promised.eq(promised + Mux(asked, burst.beats, 0) - gone),
        ]
        with m.If(~active):
            m.d.sync += [
                active.eq(self.command.valid), address.eq(command.address), plane_address.eq(command.address),
                beats_left.eq(command.run_beats), *planes.begins(),
            ]
        with m.Elif(asked):
            m.d.sync += [
                address.eq(Mux(burst.more, burst.address_after, next_plane)),
                beats_left.eq(Mux(burst.more, burst.left_after, command.run_beats)),
            ]
            with m.If(~burst.more):
                m.d.sync += plane_address.eq(next_plane)
                planes.advance(m)
                with m.If(planes.is_last):
                    m.d.sync += active.eq(0)
                    m.d.comb += self.command.ready.eq(1)

        outstanding = Signal(16)
        answered = self.response.valid & self.response.ready
        m.d.sync += [
            outstanding.eq(outstanding + asked - answered),
            self.idle.eq(~active & (outstanding == 0) & (unasked == 0) & (promised == 0) & ~self.i.valid),
        ]
        m.d.comb += [
            self.response.ready.eq(1),
            self.failed.eq(answered & self.response.payload[0]),
        ]
        return m
