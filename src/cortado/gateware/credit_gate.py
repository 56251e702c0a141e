"""Keeping a pipeline from ever having to wait."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class CreditGate(wiring.Component):
    """Lets no more items pass than there is room for behind the pipeline it stands before.

    The pipeline ends in a queue of `credits` items, which is always ready: no wait goes back through its steps, and
    none of its registers needs to be told to hold. `back` returns a credit for each item that leaves the queue. Latency
    none, one item a cycle; a returned credit counts two cycles later.

    Members
    -------
    i, o : streams of `shape`
    back : In(1)
    """

    def __init__(self, shape: object, *, credits: int) -> None:
        self._credits = credits
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape)), "back": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(range(self._credits + 1), init=self._credits)
        # Known a cycle late, so the last credit is kept for the item of that cycle; an open gate stays open for an item
        # that waits.
        opens = Signal(init=1)
        came_back = Signal()
        passes = Signal()
        m.d.comb += [
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & opens),
            self.i.ready.eq(self.o.ready & opens),
            passes.eq(self.o.valid & self.o.ready),
        ]
        m.d.sync += [
            came_back.eq(self.back),
            left.eq(left - passes + came_back),
            opens.eq((left > 1) | (opens & ~passes)),
        ]
        return m
