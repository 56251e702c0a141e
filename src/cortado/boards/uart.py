"""A serial line: eight bits, no parity, one stop bit, the low bit first."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class UartReceiver(wiring.Component):
    """Bytes from a serial line; `divisor` is the cycles of a bit, at least 4.

    A byte that comes while the one before it has not been taken is dropped.

    Members
    -------
    line : In(1)
        From the pin; it needs no relation to the clock.
    o : Out(stream of 8 bits)
    """

    def __init__(self, *, divisor: int) -> None:
        assert divisor >= 4, "the middle of a bit must be met"
        self._divisor = divisor
        super().__init__({"line": In(1), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        crossing, line = Signal(init=1), Signal(init=1)
        wait, bits, number = Signal(range(2 * self._divisor)), Signal(8), Signal(range(9))
        m.d.sync += [crossing.eq(self.line), line.eq(crossing)]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM():
            with m.State("IDLE"):
                # One and a half bits from the edge is the middle of the first bit.
                m.d.sync += [wait.eq(self._divisor + self._divisor // 2 - 1), number.eq(0)]
                with m.If(~line):
                    m.next = "BITS"
            with m.State("BITS"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.d.sync += [wait.eq(self._divisor - 1), number.eq(number + 1), bits.eq(Cat(bits[1:], line))]
                    with m.If(number == 8):
                        # The stop bit; without it the line is broken and the byte is none.
                        with m.If(line & ~self.o.valid):
                            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(bits)]
                        m.next = "END"
            with m.State("END"):
                with m.If(line):
                    m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """Bytes onto a serial line; `divisor` is the cycles of a bit.

    Members
    -------
    i : In(stream of 8 bits)
    line : Out(1)
    """

    def __init__(self, *, divisor: int) -> None:
        self._divisor = divisor
        super().__init__({"i": In(stream.Signature(8)), "line": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        wait, bits, left = Signal(range(self._divisor)), Signal(9), Signal(range(11))
        m.d.comb += self.i.ready.eq(left == 0)
        with m.If(left == 0):
            m.d.sync += self.line.eq(1)
            with m.If(self.i.valid):
                m.d.sync += [bits.eq(Cat(self.i.payload, 1)), left.eq(10), self.line.eq(0),
                             wait.eq(self._divisor - 1)]
        with m.Else():
            m.d.sync += wait.eq(wait - 1)
            with m.If(wait == 0):
                m.d.sync += [wait.eq(self._divisor - 1), left.eq(left - 1), self.line.eq(bits[0]),
                             bits.eq(Cat(bits[1:], 1))]
        return m
