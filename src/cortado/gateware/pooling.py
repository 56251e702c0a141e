"""Pooling of whole maps."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.column_pooling import ColumnPooling
from cortado.gateware.gearbox import Gearbox
from cortado.gateware.pooling_command import pooling_command_layout
from cortado.gateware.row_pooling import RowPooling
from cortado.gateware.window_scaling import WindowScaling


class Pooling(wiring.Component):
    """Maximum, and average where it is generated, over the windows of maps: `numerics.pooling` to the bit.

    Maps lie as `memory_layout.MapLayout` says, with rows of at most `row_beats` beats. Rows are reduced a beat a cycle,
    the columns of what is left of them a pixel a cycle.

    Members
    -------
    command : In(stream of pooling_command_layout())
        Held by its sender until the last beat of the job has been taken in.
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
        m.submodules.rows = rows = RowPooling(beat_bits=beat_bits, row_beats=self._row_beats, average=average)
        m.submodules.columns = columns = ColumnPooling(lanes=lanes, beat_bits=beat_bits, average=average)
        m.submodules.gearbox = gearbox = Gearbox(unit_bits=8 * lanes, units_in=1, units_out=beat_bits // (8 * lanes))
        wiring.connect(m, wiring.flipped(self.i), rows.i)
        wiring.connect(m, rows.o, columns.i)
        pixels = columns.o
        if average:
            m.submodules.scaling = scaling = WindowScaling(lanes=lanes)
            wiring.connect(m, columns.o, scaling.i)
            pixels = scaling.o
        m.d.comb += [
            gearbox.i.payload.units[0].eq(pixels.payload.values.as_value()),
            gearbox.i.payload.count.eq(1),
            gearbox.i.payload.last.eq(pixels.payload.last),
            gearbox.i.valid.eq(pixels.valid),
            pixels.ready.eq(gearbox.i.ready),
            self.o.payload.eq(gearbox.o.payload.units.as_value()),
            self.o.valid.eq(gearbox.o.valid),
            gearbox.o.ready.eq(self.o.ready),
        ]
        # The rows of a job are done before its columns.
        rows_done = Signal()
        m.d.comb += [
            rows.command.payload.eq(self.command.payload),
            rows.command.valid.eq(self.command.valid & ~rows_done),
            columns.command.payload.eq(self.command.payload),
            columns.command.valid.eq(self.command.valid),
            self.command.ready.eq(columns.command.ready),
        ]
        with m.If(columns.command.ready):
            m.d.sync += rows_done.eq(0)
        with m.Elif(rows.command.ready):
            m.d.sync += rows_done.eq(1)
        return m
