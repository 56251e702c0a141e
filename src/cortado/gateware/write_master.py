"""One writer on the write channels of an AXI4 port."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.axi import Response, connect_address, write_signature
from cortado.gateware.stream_reader import REQUEST_LAYOUT

# Bursts asked for whose data are still to come.
BURST_QUEUE = 16


class WriteMaster(wiring.Component):
    """Sends requests and data as write bursts, one beat a cycle.

    Members
    -------
    request : In(stream of REQUEST_LAYOUT)
    i : In(stream of beats)
        The data of the bursts, in the order of the requests.
    response : Out(stream of 1 bit)
        One for each burst, 1 for an error.
    memory : Out(write_signature(beat_bits))
    stop : In(1)
        No further request is taken; the bursts that were are finished with beats that write nothing.
    idle : Out(1)
        Every burst has been answered.
    failed : Out(1)
        High for each burst that is answered with an error.
    """

    def __init__(self, *, beat_bits: int) -> None:
        self._beat_bits = beat_bits
        super().__init__({
            "request": In(stream.Signature(REQUEST_LAYOUT)),
            "i": In(stream.Signature(unsigned(beat_bits))),
            "response": Out(stream.Signature(1)),
            "memory": Out(write_signature(beat_bits)),
            "stop": In(1),
            "idle": Out(1),
            "failed": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory = self.memory
        connect_address(m, memory, "aw", self._beat_bits)
        m.submodules.bursts = bursts = fifo.SyncFIFO(width=8, depth=BURST_QUEUE)

        # Neither register waits for the other channel's ready: a slave may want to see both before it takes one.
        asks = Signal()
        m.d.comb += [
            self.request.ready.eq(~self.stop & bursts.w_rdy & (~memory.awvalid | memory.awready)),
            asks.eq(self.request.valid & self.request.ready),
            bursts.w_en.eq(asks),
            bursts.w_data.eq(self.request.payload.beats),
        ]
        with m.If(memory.awready):
            m.d.sync += memory.awvalid.eq(0)
        with m.If(asks):
            m.d.sync += [memory.awvalid.eq(1), memory.awaddr.eq(self.request.payload.address),
                         memory.awlen.eq(self.request.payload.beats - 1)]

        # A beat that has been shown to the memory stays as it was, even when its writer is reset meanwhile.
        left = Signal(8)
        room, moves = Signal(), Signal()
        m.d.comb += [
            room.eq((left != 0) & (~memory.wvalid | memory.wready)),
            self.i.ready.eq(room & ~self.stop),
            moves.eq(room & (self.i.valid | self.stop)),
        ]
        with m.If(memory.wready):
            m.d.sync += memory.wvalid.eq(0)
        with m.If(moves):
            m.d.sync += [
                memory.wvalid.eq(1), memory.wdata.eq(self.i.payload), memory.wstrb.eq(Mux(self.stop, 0, -1)),
                memory.wlast.eq(left == 1), left.eq(left - 1)]
        with m.If((left == 0) | (moves & (left == 1))):
            m.d.comb += bursts.r_en.eq(1)
            with m.If(bursts.r_rdy):
                m.d.sync += left.eq(bursts.r_data)

        outstanding = Signal(16)
        answered, error = Signal(), Signal()
        m.d.sync += outstanding.eq(outstanding + asks - answered)
        m.d.comb += [
            error.eq(memory.bresp != Response.OKAY),
            self.response.valid.eq(memory.bvalid & ~self.stop),
            self.response.payload.eq(error),
            memory.bready.eq(self.response.ready | self.stop),
            answered.eq(memory.bvalid & memory.bready),
            self.failed.eq(answered & error),
            self.idle.eq(outstanding == 0),
        ]
        return m
