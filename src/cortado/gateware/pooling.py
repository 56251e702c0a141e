"""Pooling of whole maps."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.column_maximum import ColumnMaximum, is_wide
from cortado.gateware.column_pooling import ColumnPooling
from cortado.gateware.gearbox import Gearbox
from cortado.gateware.pooling_command import pooling_command_layout
from cortado.gateware.row_pooling import RowPooling
from cortado.gateware.stream_switch import one_of_two_sinks
from cortado.gateware.window_scaling import WindowScaling


class Pooling(wiring.Component):
    """Maximum, and average where it is generated, over the windows of maps: `numerics.pooling` to the bit.

    Maps lie as `memory_layout.MapLayout` says, with rows of at most `row_beats` beats. Rows are reduced a beat a cycle.
    So are the columns of what is left of them where `ColumnMaximum` can do it, else a pixel a cycle.

    Members
    -------
    command : In(stream of pooling_command_layout())
        Held by its sender until the last pixel of the job is on its way out.
    i : In(stream of beats)
    o : Out(stream of beats)
        The rows of the output.
    """

    def __init__(self, *, lanes: int, beat_bits: int, row_beats: int, average: bool) -> None:
        self._lanes, self._beat_bits, self._row_beats, self._average = lanes, beat_bits, row_beats, average
        super().__init__({
            "command": In(stream.Signature(pooling_command_layout())),
            "i": In(stream.Signature(unsigned(beat_bits))),
            "o": Out(stream.Signature(unsigned(beat_bits))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes, beat_bits, average = self._lanes, self._beat_bits, self._average
        count = beat_bits // (8 * lanes)
        m.submodules.rows = rows = RowPooling(beat_bits=beat_bits, row_beats=self._row_beats, average=average)
        m.submodules.columns = columns = ColumnPooling(lanes=lanes, beat_bits=beat_bits, average=average)
        m.submodules.gearbox = gearbox = Gearbox(unit_bits=8 * lanes, units_in=count, units_out=count)
        wiring.connect(m, wiring.flipped(self.i), rows.i)
        pixels = columns.o
        if average:
            m.submodules.scaling = scaling = WindowScaling(lanes=lanes)
            wiring.connect(m, columns.o, scaling.i)
            pixels = scaling.o
        into = gearbox.i
        m.d.comb += [
            into.valid.eq(pixels.valid), pixels.ready.eq(into.ready),
            into.payload.units[0].eq(pixels.payload.values.as_value()), into.payload.count.eq(1),
            into.payload.last.eq(pixels.payload.last),
            self.o.payload.eq(gearbox.o.payload.units.as_value()),
            self.o.valid.eq(gearbox.o.valid),
            gearbox.o.ready.eq(self.o.ready),
        ]

        rows_done, columns_done = Signal(), Signal()
        wide = Signal()
        ends = columns.command.ready
        m.d.comb += columns.command.valid.eq(self.command.valid & ~wide & ~columns_done)
        if count > 1:
            m.submodules.maximum = maximum = ColumnMaximum(lanes=lanes, beat_bits=beat_bits, average=average)
            m.d.comb += [
                wide.eq(is_wide(self.command.payload)),
                maximum.command.payload.eq(self.command.payload),
                maximum.command.valid.eq(self.command.valid & wide & ~columns_done),
            ]
            ends = Mux(wide, maximum.command.ready, ends)
            one_of_two_sinks(m, wide, rows.o, (columns.i, maximum.i))
            # What this unit still holds of a job goes before the next job's pixels.
            with m.If(maximum.o.valid):
                m.d.comb += [
                    into.valid.eq(1), pixels.ready.eq(0), maximum.o.ready.eq(into.ready),
                    into.payload.units.eq(maximum.o.payload.pixels), into.payload.count.eq(maximum.o.payload.count),
                    into.payload.last.eq(maximum.o.payload.last),
                ]
        else:
            wiring.connect(m, rows.o, columns.i)

        # Pixels between the columns and the gearbox: the next job may take the shorter way when there are none.
        underway = Signal(3)
        m.d.sync += underway.eq(underway + (columns.o.valid & columns.o.ready) - (pixels.valid & pixels.ready))
        m.d.comb += [
            rows.command.payload.eq(self.command.payload),
            rows.command.valid.eq(self.command.valid & ~rows_done),
            columns.command.payload.eq(self.command.payload),
            self.command.ready.eq(self.command.valid & columns_done & ~columns.o.valid & (underway == 0)),
        ]
        with m.If(rows.command.valid & rows.command.ready):
            m.d.sync += rows_done.eq(1)
        with m.If(self.command.valid & ends & ~columns_done):
            m.d.sync += columns_done.eq(1)
        with m.If(self.command.ready):
            m.d.sync += [rows_done.eq(0), columns_done.eq(0)]
        return m
