"""One writer on the write channels of an AXI4 port."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.axi import Response, connect_address, write_signature
from cortado.gateware.pipeline import StreamRegister
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
        Every burst has been answered. Known a cycle late when it begins.
    failed : Out(1)
        High for each burst that was answered with an error in the cycle before.
    """

    def __init__(self, *, beat_bits: int) -> None:
        self._beat_bits = beat_bits
        super().__init__({
            "request": In(stream.Signature(REQUEST_LAYOUT)),
            "i": In(stream.Signature(unsigned(beat_bits))),
            "response": Out(stream.Signature(1)),
            "memory": Out(write_signature(beat_bits)),
            "stop": In(1),
            "idle": Out(1, init=1),
            "failed": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory = self.memory
        connect_address(m, memory, "aw", self._beat_bits)
        m.submodules.bursts = bursts = fifo.SyncFIFO(width=8, depth=BURST_QUEUE)

        # Neither channel waits for the other's ready: a slave may want to see both before it takes one. What has been
        # shown to the memory stays as it was, even when its writer is reset meanwhile.
        m.submodules.addresses = addresses = StreamRegister(
            data.StructLayout({"addr": memory.awaddr.shape(), "len": memory.awlen.shape()}))
        m.submodules.beats = beats = StreamRegister(data.StructLayout({
            "data": memory.wdata.shape(), "strb": memory.wstrb.shape(), "last": memory.wlast.shape()}))
        for channel, step in (("aw", addresses), ("w", beats)):
            m.d.comb += [
                getattr(memory, f"{channel}valid").eq(step.o.valid),
                step.o.ready.eq(getattr(memory, f"{channel}ready")),
                *(getattr(memory, f"{channel}{name}").eq(getattr(step.o.payload, name))
                  for name in step.o.payload.shape().members),
            ]

        asks, room = Signal(), Signal()
        m.d.comb += [
            room.eq(~self.stop & bursts.w_rdy & addresses.i.ready),
            self.request.ready.eq(room),
            asks.eq(self.request.valid & room),
            addresses.i.valid.eq(asks),
            addresses.i.payload.addr.eq(self.request.payload.address),
            addresses.i.payload.len.eq(self.request.payload.beats - 1),
            bursts.w_en.eq(asks),
            bursts.w_data.eq(self.request.payload.beats - 1),
        ]

        # The burst whose beats go now, and how many follow the next one.
        in_burst = Signal()
        behind = Signal(8)
        moves, last = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(in_burst & beats.i.ready & ~self.stop),
            beats.i.valid.eq(in_burst & (self.i.valid | self.stop)),
            beats.i.payload.data.eq(self.i.payload),
            beats.i.payload.strb.eq(Mux(self.stop, 0, -1)),
            beats.i.payload.last.eq(last),
            last.eq(behind == 0),
            moves.eq(beats.i.valid & beats.i.ready),
        ]
        with m.If(moves):
            m.d.sync += behind.eq(behind - 1)
        with m.If(~in_burst | (moves & last)):
            m.d.comb += bursts.r_en.eq(1)
            m.d.sync += [in_burst.eq(bursts.r_rdy), behind.eq(bursts.r_data)]

        outstanding = Signal(16)
        answered, error = Signal(), Signal()
        m.d.sync += [
            outstanding.eq(outstanding + asks - answered),
            self.idle.eq((outstanding == 0) & ~asks),
            self.failed.eq(answered & error),
        ]
        m.d.comb += [
            error.eq(memory.bresp != Response.OKAY),
            self.response.valid.eq(memory.bvalid & ~self.stop),
            self.response.payload.eq(error),
            memory.bready.eq(self.response.ready | self.stop),
            answered.eq(memory.bvalid & memory.bready),
        ]
        return m
