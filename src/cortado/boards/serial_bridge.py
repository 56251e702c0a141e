"""Registers and memory of an engine over a serial line, a word at a time."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.boards.block_memory import WORD_SIGNATURE
from cortado.gateware.axi import Response, lite_signature
from cortado.gateware.register_file import CONTROL_ADDRESS_BITS

READ, WRITE = ord("R"), ord("W")
REQUEST_BYTES, ANSWER_BYTES = 9, 5
REGISTERS_BIT = 31
"""Of an address: 1 for the registers, 0 for the memory."""
OKAY, REFUSED = 0, 1


class SerialBridge(wiring.Component):
    """A request is nine bytes: R or W, the address and, for W, the data, the low byte first. The answer is five: 0, or
    1 where it was refused, and the word that was read.

    Where a request must begin, other bytes than R and W are dropped: nine zeros bring a lost line into step.

    Members
    -------
    i, o : In and Out(stream of 8 bits)
        From and to the line.
    control : Out(AXI4-Lite)
        The engine's registers.
    word : Out(WORD_SIGNATURE)
        The memory.
    """

    def __init__(self) -> None:
        super().__init__({
            "i": In(stream.Signature(8)), "o": Out(stream.Signature(8)),
            "control": Out(lite_signature(CONTROL_ADDRESS_BITS)), "word": Out(WORD_SIGNATURE),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        control, word = self.control, self.word
        request, taken = Signal(8 * REQUEST_BYTES), Signal(range(REQUEST_BYTES + 1))
        kind, address, data = request[:8], request[8:40], request[40:]
        answer, left = Signal(8 * ANSWER_BYTES), Signal(range(ANSWER_BYTES + 1))
        address_sent, data_sent = Signal(), Signal()
        m.d.comb += [
            control.awaddr.eq(address), control.araddr.eq(address), control.wdata.eq(data), control.wstrb.eq(0b1111),
            word.address.eq(address[:REGISTERS_BIT]), word.data.eq(data), word.write.eq(kind == WRITE),
            self.o.payload.eq(answer[:8]),
        ]

        def reply(refused: object, value: object) -> None:
            m.d.sync += [answer.eq(Cat(refused, 0, 0, 0, 0, 0, 0, 0, value)), left.eq(ANSWER_BYTES)]
            m.next = "REPLY"

        with m.FSM():
            with m.State("TAKE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [address_sent.eq(0), data_sent.eq(0)]
                begins = (taken != 0) | (self.i.payload == READ) | (self.i.payload == WRITE)
                with m.If(self.i.valid & begins):
                    m.d.sync += [request.eq(Cat(request[8:], self.i.payload)), taken.eq(taken + 1)]
                    with m.If(taken == REQUEST_BYTES - 1):
                        m.d.sync += taken.eq(0)
                        m.next = "ASK"
            with m.State("ASK"):
                with m.If(~address[REGISTERS_BIT]):
                    m.d.comb += word.valid.eq(1)
                    with m.If(word.done):
                        reply(word.failed, word.answer)
                with m.Elif(kind == WRITE):
                    m.d.comb += [control.awvalid.eq(~address_sent), control.wvalid.eq(~data_sent),
                                 control.bready.eq(1)]
                    m.d.sync += [address_sent.eq(address_sent | control.awready),
                                 data_sent.eq(data_sent | control.wready)]
                    with m.If(control.bvalid):
                        reply(control.bresp != Response.OKAY, 0)
                with m.Else():
                    m.d.comb += [control.arvalid.eq(~address_sent), control.rready.eq(1)]
                    m.d.sync += address_sent.eq(address_sent | control.arready)
                    with m.If(control.rvalid):
                        reply(control.rresp != Response.OKAY, control.rdata)
            with m.State("REPLY"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += [answer.eq(answer[8:]), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "TAKE"
        return m
