"""Filling the block buffer: beats of image rows become rows of tiles' pixels, with the padding around them."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.gearbox import Gearbox


def loader_command_layout() -> data.StructLayout:
    """What the loader needs of a descriptor."""
    return data.StructLayout({
        **{name: unsigned(16) for name in (
            "tile_rows", "tile_columns", "channel_blocks", "buffer_base", "plane_words", "row_words",
            "input_rows", "input_row_beats", "input_columns", "skip_columns")},
        "top_rows": unsigned(2),
        "left_columns": unsigned(2),
        "exclusive": unsigned(1),
    })


def write_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """One row of m pixels on its way into the block buffer."""
    return data.StructLayout({
        "pixels": unsigned(8 * configuration.m * configuration.pc),
        "address": range(configuration.buffer_words),
        "odd_row": 1,
        "odd_column": 1,
        "lane": range(configuration.m),
        "plane_last": 1,
    })


class BlockLoader(wiring.Component):
    """Writes the pixels of a block, channel block by channel block, row by row, m pixels a cycle.

    A block of R x S tiles takes R*m + 2 rows of (S + 1)*m pixels; rows and pixels outside the image are zero.

    Members
    -------
    command : In(stream of loader_command_layout())
    i : In(stream of beats)
        The image rows of the block: pixels of pc bytes, the first in the low bits, each row in beats of its own.
    o : Out(stream of write_layout(...))
    open_blocks : In(2)
        Blocks begun and not yet read for good.
    begin : Out(1)
        High for the cycle in which a block begins; at most two are open, one where the command says exclusive.
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "command": In(stream.Signature(loader_command_layout())),
            "i": In(stream.Signature(unsigned(configuration.beat_bits))),
            "o": Out(stream.Signature(write_layout(configuration))),
            "open_blocks": In(2),
            "begin": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration, command = self._configuration, self.command.payload
        edge, pixel_bits = configuration.m, 8 * configuration.pc
        pixels_per_beat = configuration.beat_bits // pixel_bits
        m.submodules.gearbox = gearbox = Gearbox(unit_bits=pixel_bits, units_in=pixels_per_beat, units_out=edge,
                                                 largest_lead=2)
        active = Signal()

        # Beats of a row lose the pixels left of the block and those right of it. They run ahead of the rows written,
        # but not into the next block, whose rows are cut elsewhere.
        rows_left, planes_left = Signal(16), Signal(16)
        expects = active & (planes_left != 0)
        beat, pixels_left, skip = Signal(16), Signal(16), Signal(range(pixels_per_beat))
        here = Signal(range(pixels_per_beat + 1))
        columns = Mux(beat == 0, command.input_columns, pixels_left)
        m.d.comb += [
            skip.eq(Mux(beat == 0, command.skip_columns, 0)),
            here.eq(Mux(columns < pixels_per_beat - skip, columns, pixels_per_beat - skip)),
            gearbox.i.payload.units.as_value().eq(self.i.payload >> (skip * pixel_bits)),
            gearbox.i.payload.count.eq(here),
            gearbox.i.payload.lead.eq(command.left_columns),
            gearbox.i.payload.last.eq(beat == command.input_row_beats - 1),
            gearbox.i.valid.eq(self.i.valid & expects),
            self.i.ready.eq(gearbox.i.ready & expects),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                pixels_left.eq(columns - here),
                beat.eq(Mux(gearbox.i.payload.last, 0, beat + 1)),
            ]
            with m.If(gearbox.i.payload.last):
                m.d.sync += rows_left.eq(rows_left - 1)
                with m.If(rows_left == 1):
                    m.d.sync += [rows_left.eq(command.input_rows), planes_left.eq(planes_left - 1)]

        # Where the next m pixels go: channel block, row of tiles, row within it, group of m columns.
        plane, tile_row, group = Signal(16), Signal(16), Signal(16)
        lane, row = Signal(range(edge)), Signal(16)
        plane_base, row_base = Signal(16), Signal(16)
        row_ended = Signal()
        is_data = Signal()
        m.d.comb += [
            is_data.eq((row >= command.top_rows) & (row < command.top_rows + command.input_rows) & ~row_ended),
            self.o.valid.eq(active & (~is_data | gearbox.o.valid)),
            gearbox.o.ready.eq(active & is_data & self.o.ready),
            self.o.payload.pixels.eq(Mux(is_data, gearbox.o.payload.units.as_value(), 0)),
            self.o.payload.address.eq(row_base + group[1:]),
            self.o.payload.odd_row.eq(tile_row[0]),
            self.o.payload.odd_column.eq(group[0]),
            self.o.payload.lane.eq(lane),
        ]
        row_done = group == command.tile_columns
        plane_done = row_done & (tile_row == command.tile_rows) & (lane == 1)
        m.d.comb += self.o.payload.plane_last.eq(plane_done)

        with m.If(~active):
            limit = Mux(command.exclusive, 1, 2)
            with m.If(self.command.valid & (self.open_blocks < limit)):
                m.d.comb += self.begin.eq(1)
                m.d.sync += [
                    active.eq(1),
                    plane.eq(0), tile_row.eq(0), group.eq(0), lane.eq(0), row.eq(0), row_ended.eq(0),
                    plane_base.eq(command.buffer_base),
                    row_base.eq(command.buffer_base),
                    rows_left.eq(command.input_rows),
                    planes_left.eq(command.channel_blocks),
                ]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [
                group.eq(group + 1),
                row_ended.eq(row_ended | (is_data & gearbox.o.payload.last)),
            ]
            with m.If(row_done):
                m.d.sync += [group.eq(0), row.eq(row + 1), row_ended.eq(0)]
                with m.If(lane == edge - 1):
                    m.d.sync += [lane.eq(0), tile_row.eq(tile_row + 1)]
                    with m.If(tile_row[0]):
                        m.d.sync += row_base.eq(row_base + command.row_words)
                with m.Else():
                    m.d.sync += lane.eq(lane + 1)
            with m.If(plane_done):
                next_plane = plane_base + command.plane_words
                m.d.sync += [
                    plane.eq(plane + 1), tile_row.eq(0), lane.eq(0), row.eq(0),
                    plane_base.eq(next_plane),
                    row_base.eq(next_plane),
                ]
                with m.If(plane == command.channel_blocks - 1):
                    m.d.sync += active.eq(0)
                    m.d.comb += self.command.ready.eq(1)
        return m
