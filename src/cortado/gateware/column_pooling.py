"""Pooling along the columns of rows."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.open_windows import OpenWindows
from cortado.gateware.pooling_command import (
    OPEN_WINDOWS,
    ROW_SUM_BITS,
    WINDOW_SUM_BITS,
    factor_layout,
    pooling_command_layout,
)
from cortado.gateware.row_pooling import pooled, pooled_rows_layout


def window_layout(*, lanes: int, average: bool) -> data.StructLayout:
    """A pixel of the output before it is scaled, with the factor for its window; `last` of its row."""
    return data.StructLayout({
        "values": data.ArrayLayout(signed(WINDOW_SUM_BITS if average else 8), lanes),
        "factor": factor_layout() if average else unsigned(0),
        "last": 1,
    })


class ColumnPooling(wiring.Component):
    """Reduces the columns of each window to one pixel of `lanes` channels: one column of the padded row a cycle.

    Members
    -------
    command : In(stream of pooling_command_layout())
        Held by its sender until the last pixel of the job has been given out.
    i : In(stream of pooled_rows_layout(...))
    o : Out(stream of window_layout(...))
    """

    def __init__(self, *, lanes: int, beat_bits: int, average: bool) -> None:
        self._lanes, self._beat_bits, self._average = lanes, beat_bits, average
        super().__init__({
            "command": In(stream.Signature(pooling_command_layout())),
            "i": In(stream.Signature(pooled_rows_layout(beat_bits=beat_bits, average=average))),
            "o": Out(stream.Signature(window_layout(lanes=lanes, average=average))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        command, lanes = self.command.payload, self._lanes
        pixels = self._beat_bits // (8 * lanes)
        value_bits, sum_bits = (ROW_SUM_BITS, WINDOW_SUM_BITS) if self._average else (8, 8)
        average = command.average if self._average else False
        m.submodules.windows = windows = OpenWindows()
        m.d.comb += [
            windows.leading.eq(command.left_columns), windows.lines.eq(command.input_columns),
            windows.kernel.eq(command.kernel_columns), windows.stride.eq(command.column_stride),
            windows.windows.eq(command.output_columns),
        ]

        # The last beat of a row stays until the row's last window has ended; beats no window needs are passed over.
        walking, passing_over, pixel = Signal(), Signal(), Signal(range(pixels))
        o_moves = ~self.o.valid | self.o.ready
        steps = walking & self.i.valid & (~windows.ends | o_moves)
        row_done = steps & windows.ends & windows.last
        m.d.comb += windows.step.eq(steps)
        with m.If(~walking & ~passing_over & self.i.valid & self.command.valid):
            m.d.comb += windows.begin.eq(1)
            m.d.sync += [walking.eq(1), pixel.eq(0)]
        with m.If(steps & windows.real):
            m.d.sync += pixel.eq(Mux(pixel == pixels - 1, 0, pixel + 1))
            with m.If((pixel == pixels - 1) & ~self.i.payload.last):
                m.d.comb += self.i.ready.eq(1)
        with m.If(row_done):
            m.d.comb += self.i.ready.eq(1)
            m.d.sync += [walking.eq(0), passing_over.eq(~self.i.payload.last)]
        with m.If(passing_over):
            m.d.comb += self.i.ready.eq(1)
            with m.If(self.i.valid & self.i.payload.last):
                m.d.sync += passing_over.eq(0)
        # The job is over with the last beat of its last row.
        m.d.comb += self.command.ready.eq(self.i.valid & self.i.ready & self.i.payload.last & self.i.payload.last_row
                                          & self.i.payload.last_plane)

        column = self.i.payload.values.as_value().word_select(pixel, lanes * value_bits)
        with m.If(o_moves):
            m.d.sync += [self.o.valid.eq(steps & windows.ends), self.o.payload.last.eq(windows.last)]
            if self._average:
                m.d.sync += self.o.payload.factor.eq(
                    command.factors[self.i.payload.last_row * 2 + windows.last])
        for slot in range(OPEN_WINDOWS):
            for lane in range(lanes):
                number = column.word_select(lane, value_bits).as_signed()
                held, value = (Signal(signed(sum_bits), name=f"{name}_{slot}_{lane}") for name in ("held", "value"))
                m.d.comb += value.eq(Mux(windows.fresh[slot], number, pooled(held, number, average=average)))
                with m.If(~windows.real):
                    m.d.comb += value.eq(held)
                with m.If(steps):
                    m.d.sync += held.eq(value)
                with m.If(o_moves & (windows.ending == slot)):
                    m.d.sync += self.o.payload.values[lane].eq(value)
        return m
