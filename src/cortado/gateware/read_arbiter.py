"""Several readers on the read channels of one AXI4 port."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.axi import Response, connect_address, read_signature
from cortado.gateware.stream_reader import REQUEST_LAYOUT


class ReadArbiter(wiring.Component):
    """Sends the requests of the readers round robin, one a cycle; the beats find their reader by its number, the ID.

    Members
    -------
    NAME_request : In(stream of REQUEST_LAYOUT)
        Of each reader.
    NAME : Out(stream of beats)
        The answers, in the order of its requests.
    NAME_failed : Out(1)
        High for each beat that was answered with an error in the cycle before.
    memory : Out(read_signature(beat_bits))
        A reader's ID is its place among the names.
    stop : In(1)
        No further request is taken, and beats are taken and dropped.
    idle : Out(1)
        Every burst has been answered. Known two cycles late when it begins.
    """

    def __init__(self, *, readers: Sequence[str], beat_bits: int) -> None:
        self._readers, self._beat_bits = tuple(readers), beat_bits
        super().__init__({
            **{f"{name}_request": In(stream.Signature(REQUEST_LAYOUT)) for name in readers},
            **{name: Out(stream.Signature(unsigned(beat_bits))) for name in readers},
            **{f"{name}_failed": Out(1) for name in readers},
            "memory": Out(read_signature(beat_bits)),
            "stop": In(1),
            "idle": Out(1, init=1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory, count = self.memory, len(self._readers)
        requests = [getattr(self, f"{name}_request") for name in self._readers]
        connect_address(m, memory, "ar", self._beat_bits)

        # The request register: a request, once shown to the memory, may not change.
        last, chosen = Signal(range(count)), Signal(range(count))
        asks = Signal(count)
        m.d.comb += asks.eq(Cat(request.valid for request in requests))
        with m.Switch(last):
            for before in range(count):
                with m.Case(before):
                    # The one after `before` comes first, so it is looked at last.
                    for step in reversed(range(count)):
                        index = (before + 1 + step) % count
                        with m.If(asks[index]):
                            m.d.comb += chosen.eq(index)
        takes = Signal()
        m.d.comb += takes.eq(asks.any() & ~self.stop & (~memory.arvalid | memory.arready))
        with m.If(memory.arready):
            m.d.sync += memory.arvalid.eq(0)
        with m.If(takes):
            m.d.sync += [memory.arvalid.eq(1), memory.arid.eq(chosen), last.eq(chosen)]
            with m.Switch(chosen):
                for index, request in enumerate(requests):
                    with m.Case(index):
                        m.d.comb += request.ready.eq(1)
                        m.d.sync += [
                            memory.araddr.eq(request.payload.address), memory.arlen.eq(request.payload.beats - 1)]

        # The end of a burst counts a cycle late: who is ready is known late, and idle may be.
        outstanding = Signal(16)
        ended = Signal()
        m.d.sync += [
            ended.eq(memory.rvalid & memory.rready & memory.rlast),
            outstanding.eq(outstanding + takes - ended),
            self.idle.eq((outstanding == 0) & ~takes),
        ]
        m.d.comb += memory.rready.eq(1)
        with m.Switch(memory.rid):
            for index, name in enumerate(self._readers):
                beats, failed = getattr(self, name), getattr(self, f"{name}_failed")
                m.d.comb += beats.payload.eq(memory.rdata)
                m.d.sync += failed.eq(0)
                with m.Case(index):
                    m.d.sync += failed.eq(memory.rvalid & memory.rready & (memory.rresp != Response.OKAY))
                    with m.If(~self.stop):
                        m.d.comb += [beats.valid.eq(memory.rvalid), memory.rready.eq(beats.ready)]
        return m
