"""Which windows of a pooling are open at a row (or column) of the padded map."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.pooling_command import OPEN_WINDOWS


class OpenWindows(wiring.Component):
    """Walks along one side of a padded map, a line at a time, and says which windows begin and end there.

    Each open window has one of three slots, in turns. The state is that of the line ahead; `step` goes on to the next.

    Members
    -------
    begin : In(1)
        Back to the first line; the numbers below are read then and while it walks.
    step : In(1)
    leading, lines, kernel, stride, windows : In(16)
        Padding lines ahead of the map, lines of the map, and the windows along them.
    real : Out(1)
        The line is one of the map, not padding.
    fresh : Out(3)
        Slots whose window has seen no line of the map before this one.
    ends : Out(1)
        A window ends here.
    ending : Out(2)
        Its slot.
    last : Out(1)
        It is the last one.
    """

    def __init__(self) -> None:
        super().__init__({
            "begin": In(1),
            "step": In(1),
            **{name: In(16) for name in ("leading", "lines", "kernel", "stride", "windows")},
            "real": Out(1),
            "fresh": Out(OPEN_WINDOWS),
            "ends": Out(1),
            "ending": Out(range(OPEN_WINDOWS)),
            "last": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        leading_left, lines_left, unended, unstarted = (
            Signal(16, name=name) for name in ("leading_left", "lines_left", "unended", "unstarted"))
        to_start, to_end = Signal(16), Signal(16)
        starting, unread = Signal(range(OPEN_WINDOWS)), Signal(OPEN_WINDOWS)

        def following(slot: Signal) -> Value:
            return Mux(slot == OPEN_WINDOWS - 1, 0, slot + 1)

        starts = Signal()
        m.d.comb += [
            starts.eq((to_start == 0) & (unstarted != 0)),
            self.real.eq((leading_left == 0) & (lines_left != 0)),
            self.ends.eq((to_end == 0) & (unended != 0)),
            self.last.eq(unended == 1),
            self.fresh.eq(unread | (starts << starting)),
        ]
        with m.If(self.begin):
            m.d.sync += [
                leading_left.eq(self.leading), lines_left.eq(self.lines),
                unstarted.eq(self.windows), unended.eq(self.windows),
                to_start.eq(0), to_end.eq(self.kernel - 1), starting.eq(0), self.ending.eq(0), unread.eq(0),
            ]
        with m.Elif(self.step):
            m.d.sync += [
                to_start.eq(to_start - 1), to_end.eq(to_end - 1),
                unread.eq(Mux(self.real, 0, self.fresh)),
                leading_left.eq(leading_left - (leading_left != 0)), lines_left.eq(lines_left - self.real),
            ]
            with m.If(to_start == 0):
                m.d.sync += to_start.eq(self.stride - 1)
            with m.If(starts):
                m.d.sync += [starting.eq(following(starting)), unstarted.eq(unstarted - 1)]
            with m.If(self.ends):
                m.d.sync += [self.ending.eq(following(self.ending)), unended.eq(unended - 1),
                             to_end.eq(self.stride - 1)]
        return m
