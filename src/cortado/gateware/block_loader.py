"""Filling the block buffer: beats of image rows become rows of tiles' pixels, with the padding around them."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import LARGEST_STRIDE, WinogradConfiguration
from cortado.gateware.gearbox import Gearbox
from cortado.gateware.pipeline import StreamRegister


def loader_command_layout() -> data.StructLayout:
    """What the loader needs of a descriptor."""
    return data.StructLayout({
        **{name: unsigned(16) for name in (
            "tile_rows", "tile_columns", "planes", "buffer_base", "plane_words", "row_words", "top_rows",
            "input_rows", "input_row_beats", "input_columns", "left_groups", "left_columns", "skip_columns")},
        "column_step": unsigned(3),
        "exclusive": unsigned(1),
        "planes_follow": unsigned(1),
        "pointwise": unsigned(1),
    })


def write_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """One row of m pixels on its way into the block buffer."""
    return data.StructLayout({
        "pixels": unsigned(8 * configuration.m * configuration.input_pixel_bytes),
        "address": range(configuration.buffer_words),
        "odd_row": 1,
        "odd_column": 1,
        "lane": range(configuration.m),
        "plane_last": 1,
    })


class BlockLoader(wiring.Component):
    """Writes the pixels of a block, plane by plane, row by row, m pixels a cycle.

    A block of R x S tiles takes R*m + 2 rows of (S + 1)*m pixels; rows and pixels outside the image are zero. Of each
    row every `column_step`-th pixel counts. A pointwise block is one row of pixels, dealt out in groups of m over as
    many memories as a tile has groups. Several commands fill one block where planes follow.

    Members
    -------
    command : In(stream of loader_command_layout())
    i : In(stream of beats)
        The image rows of the block: pixels of pc numbers, the first in the low bits, each row in beats of its own.
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
        edge, pixel_bits = configuration.m, 8 * configuration.input_pixel_bytes
        pixels_per_beat = configuration.beat_bits // pixel_bits
        m.submodules.gearbox = gearbox = Gearbox(unit_bits=pixel_bits, units_in=pixels_per_beat, units_out=edge,
                                                 largest_lead=edge - 1)
        active = Signal()

        # Beats of a row lose the pixels left of the block and those right of it. They run ahead of the rows written,
        # but not into the next block, whose rows are cut elsewhere.
        rows_left, planes_left = Signal(16), Signal(16)
        expects = active & (planes_left != 0)
        beats_left, last_beat = Signal(16), Signal()
        pixels_left = Signal(16)
        # Where the first pixel that counts lies in this beat and, behind it, in the next one; a step may leave a beat
        # without any.
        skip, next_skip = (Signal(range(pixels_per_beat + LARGEST_STRIDE), name=name) for name in (
            "skip", "next_skip"))
        present, here = Signal(range(pixels_per_beat + 1)), Signal(range(pixels_per_beat + 1))
        # Below zero where the row ends in this beat.
        pixels_behind = Signal(signed(17))
        m.d.comb += [
            pixels_behind.eq(pixels_left - present),
            here.eq(Mux(pixels_behind < 0, pixels_left, present)),
        ]
        # Through a register: what is picked from a beat, and where it is put.
        m.submodules.trimmed = trimmed = StreamRegister(gearbox.i.payload.shape())
        wiring.connect(m, trimmed.o, gearbox.i)
        with m.Switch(Cat(skip, command.column_step)):
            for step in range(1, LARGEST_STRIDE + 1):
                for first in range(pixels_per_beat + LARGEST_STRIDE):
                    places = range(first, pixels_per_beat, step)
                    with m.Case(first | step << len(skip)):
                        m.d.comb += [
                            present.eq(len(places)),
                            next_skip.eq(first + len(places) * step - pixels_per_beat),
                            trimmed.i.payload.units.as_value().eq(
                                Cat(self.i.payload.word_select(place, pixel_bits) for place in places)),
                        ]
        m.d.comb += [
            trimmed.i.payload.count.eq(here),
            trimmed.i.payload.lead.eq(command.left_columns),
            trimmed.i.payload.last.eq(last_beat),
            trimmed.i.valid.eq(self.i.valid & expects),
            self.i.ready.eq(trimmed.i.ready & expects),
        ]
        row_begins = [
            pixels_left.eq(command.input_columns),
            skip.eq(command.skip_columns),
            beats_left.eq(command.input_row_beats),
            last_beat.eq(command.input_row_beats == 1),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                pixels_left.eq(Mux(pixels_behind < 0, 0, pixels_behind)),
                skip.eq(next_skip),
                beats_left.eq(beats_left - 1),
                last_beat.eq(beats_left == 2),
            ]
            with m.If(last_beat):
                m.d.sync += [*row_begins, rows_left.eq(rows_left - 1)]
                with m.If(rows_left == 1):
                    m.d.sync += [rows_left.eq(command.input_rows), planes_left.eq(planes_left - 1)]

        # Where the next m pixels go: channel block, row of tiles, row within it, group of m columns.
        plane, tile_row, group = Signal(16), Signal(16), Signal(16)
        lane, row = Signal(range(edge)), Signal(16)
        plane_base, row_base = Signal(16), Signal(16)
        row_ended = Signal()
        # Groups of the row so far: in a pointwise block `group` counts tiles.
        row_group = Signal(16)
        # A block goes on with the planes of the next command.
        in_block = Signal()
        # Where it is dealt out: the memory of a pointwise group.
        bank = Signal(range(configuration.point_banks))
        bank_memory, bank_lane = Signal(2), Signal(range(edge))
        with m.Switch(bank):
            for number in range(configuration.point_banks):
                with m.Case(number):
                    m.d.comb += [bank_memory.eq(number // edge), bank_lane.eq(number % edge)]
        is_data = Signal()
        m.d.comb += [
            is_data.eq((row >= command.top_rows) & (row < command.top_rows + command.input_rows) & ~row_ended
                       & (row_group >= command.left_groups)),
            self.o.valid.eq(active & (~is_data | gearbox.o.valid)),
            gearbox.o.ready.eq(active & is_data & self.o.ready),
            self.o.payload.pixels.eq(Mux(is_data, gearbox.o.payload.units.as_value(), 0)),
            self.o.payload.address.eq(row_base + Mux(command.pointwise, group, group[1:])),
            self.o.payload.odd_row.eq(Mux(command.pointwise, bank_memory[1], tile_row[0])),
            self.o.payload.odd_column.eq(Mux(command.pointwise, bank_memory[0], group[0])),
            self.o.payload.lane.eq(Mux(command.pointwise, bank_lane, lane)),
        ]
        last_bank = bank == configuration.point_banks - 1
        row_done = Mux(command.pointwise, last_bank & (group == command.tile_columns - 1),
                       group == command.tile_columns)
        plane_done = row_done & (command.pointwise | ((tile_row == command.tile_rows) & (lane == 1)))
        m.d.comb += self.o.payload.plane_last.eq(plane_done)

        with m.If(~active):
            limit = Mux(command.exclusive, 1, 2)
            first_plane = Mux(in_block, plane_base, command.buffer_base)
            with m.If(self.command.valid & (in_block | (self.open_blocks < limit))):
                m.d.comb += self.begin.eq(~in_block)
                m.d.sync += [
                    *row_begins,
                    active.eq(1),
                    plane.eq(0), tile_row.eq(0), group.eq(0), bank.eq(0), lane.eq(0), row.eq(0), row_ended.eq(0),
                    row_group.eq(0),
                    plane_base.eq(first_plane),
                    row_base.eq(first_plane),
                    rows_left.eq(command.input_rows),
                    planes_left.eq(Mux(command.input_rows == 0, 0, command.planes)),
                ]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [
                group.eq(group + (~command.pointwise | last_bank)),
                bank.eq(Mux(last_bank, 0, bank + 1)),
                row_group.eq(row_group + 1),
                row_ended.eq(row_ended | (is_data & gearbox.o.payload.last)),
            ]
            with m.If(row_done):
                m.d.sync += [group.eq(0), bank.eq(0), row_group.eq(0), row.eq(row + 1), row_ended.eq(0)]
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
                with m.If(plane == command.planes - 1):
                    m.d.sync += [active.eq(0), in_block.eq(command.planes_follow)]
                    m.d.comb += self.command.ready.eq(1)
        return m
