"""Filling the block buffer: beats of image rows become rows of tiles' pixels, with the padding around them."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import LARGEST_STRIDE, WinogradConfiguration
from cortado.gateware.gearbox import Gearbox
from cortado.gateware.loop_count import LoopCount
from cortado.gateware.pipeline import StreamRegister

LARGEST_CONSTANT_BITS = 2**16
"""The widest number Verilator takes."""


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
        # What follows from a command is known in the cycle after the one it comes in.
        known = Signal()
        m.d.sync += known.eq(self.command.valid & ~self.command.ready)

        # Beats of a row lose the pixels left of the block and those right of it. They run ahead of the rows written,
        # but not into the next block, whose rows are cut elsewhere.
        beats, rows, planes = counts = [LoopCount(name, getattr(command, name)) for name in (
            "input_row_beats", "input_rows", "planes")]
        expects = Signal()
        pixels_left = Signal(16)
        # Where the first pixel that counts lies in this beat and, behind it, in the next one; a step may leave a beat
        # without any. What follows from it, in registers of its own: how many lie in the beat, and where each of them.
        skip = Signal(range(pixels_per_beat + LARGEST_STRIDE))
        present = Signal(range(pixels_per_beat + 1))
        here = Signal(range(pixels_per_beat + 1))
        places = [Signal(range(pixels_per_beat), name=f"place_{unit}") for unit in range(pixels_per_beat)]
        cut = Cat(skip, present, *places)
        next_cut, first_cut = Signal.like(cut, name="next_cut"), Signal.like(cut, name="first_cut")

        def cut_from(first: int, step: int) -> Value:
            """`cut` where the first pixel that counts is the one at `first` of the beat."""
            of_beat = range(first, pixels_per_beat, step)
            every = range(first, first + pixels_per_beat * step, step)
            return Cat(Const(first, len(skip)), Const(len(of_beat), len(present)),
                       *(Const(place % pixels_per_beat, len(places[0])) for place in every))

        # Below zero where the row ends in this beat.
        pixels_behind = Signal(signed(17))
        m.d.comb += [
            pixels_behind.eq(pixels_left - present),
            here.eq(Mux(pixels_behind < 0, pixels_left, present)),
        ]
        # Through a register: what is picked from a beat, and where it is put.
        m.submodules.trimmed = trimmed = StreamRegister(gearbox.i.payload.shape())
        wiring.connect(m, trimmed.o, gearbox.i)
        m.d.comb += trimmed.i.payload.units.as_value().eq(
            Cat(self.i.payload.word_select(place, pixel_bits) for place in places))
        # A choice among constants is one constant of all of them to the tools, which take them up to a size.
        cases = (pixels_per_beat + LARGEST_STRIDE) * LARGEST_STRIDE
        part = LARGEST_CONSTANT_BITS // cases
        parts = [slice(low, low + part) for low in range(0, len(cut), part)]
        with m.Switch(Cat(skip, command.column_step)):
            for first in range(pixels_per_beat + LARGEST_STRIDE):
                for step in range(1, LARGEST_STRIDE + 1):
                    with m.Case(first | step << len(skip)):
                        behind = first + len(range(first, pixels_per_beat, step)) * step - pixels_per_beat
                        m.d.comb += [next_cut[of].eq(cut_from(behind, step)[of]) for of in parts]
        with m.Switch(Cat(command.skip_columns[:len(skip)], command.column_step)):
            for first in range(pixels_per_beat):
                for step in range(1, LARGEST_STRIDE + 1):
                    with m.Case(first | step << len(skip)):
                        m.d.sync += [first_cut[of].eq(cut_from(first, step)[of]) for of in parts]
        m.d.comb += [
            trimmed.i.payload.count.eq(here),
            trimmed.i.payload.lead.eq(command.left_columns),
            trimmed.i.payload.last.eq(beats.is_last),
            trimmed.i.valid.eq(self.i.valid & active & expects),
            self.i.ready.eq(trimmed.i.ready & active & expects),
        ]
        row_begins = [pixels_left.eq(command.input_columns), cut.eq(first_cut)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [pixels_left.eq(Mux(pixels_behind < 0, 0, pixels_behind)), cut.eq(next_cut)]
            beats.advance(m)
            with m.If(beats.is_last):
                m.d.sync += row_begins
                rows.advance(m)
                with m.If(rows.is_last):
                    planes.advance(m)
                    with m.If(planes.is_last):
                        m.d.sync += expects.eq(0)

        # Where the next m pixels go: row of tiles, row within it, group of m columns; a pointwise block is one row.
        tile_row, group, lane = Signal(16), Signal(16), Signal(range(edge))
        groups = LoopCount("groups", command.tile_columns + ~command.pointwise)
        tile_rows = LoopCount("tile_rows", command.tile_rows)
        written_planes = LoopCount("written_planes", command.planes)
        # In the two rows below the last row of tiles; in the second of them, or the only row of a pointwise block.
        below, last_row = Signal(), Signal()
        plane_base, row_base = Signal(16), Signal(16)
        # A block goes on with the planes of the next command.
        in_block = Signal()
        # Where it is dealt out: the memory of a pointwise group.
        bank = Signal(range(configuration.point_banks))
        # The last memory of a group has its turn; a group of another block has one only.
        group_done = Signal()
        bank_memory, bank_lane = Signal(2), Signal(range(edge))
        with m.Switch(bank):
            for number in range(configuration.point_banks):
                with m.Case(number):
                    m.d.comb += [bank_memory.eq(number // edge), bank_lane.eq(number % edge)]

        # Whether the group holds pixels of the image or padding: rows above the image, its rows, groups left of it, and
        # what the end of the image's row leaves.
        is_data, row_ended = Signal(), Signal()
        left, left_done, nothing_left = LoopCount("left_groups", command.left_groups), Signal(), Signal()
        # Of the row behind this one, of which there are at least two cycles of notice: rows have two groups or more.
        rows_above, rows_within = Signal(16), Signal(16)
        row_has_data, next_has_data = Signal(), Signal()
        first_above, first_within, first_has_data = (Signal.like(signal, name=name) for signal, name in (
            (rows_above, "first_above"), (rows_within, "first_within"), (row_has_data, "first_has_data")))
        starts_above, some_rows = command.top_rows != 0, command.input_rows != 0
        m.d.sync += [
            nothing_left.eq(command.left_groups == 0),
            first_has_data.eq(~starts_above & some_rows),
            first_above.eq(command.top_rows - starts_above),
            first_within.eq(command.input_rows - (~starts_above & some_rows)),
            next_has_data.eq((rows_above == 0) & (rows_within != 0)),
        ]
        row_restarts = [
            group.eq(0), bank.eq(0), group_done.eq(~command.pointwise | (configuration.point_banks == 1)),
            row_ended.eq(0), left_done.eq(nothing_left), *left.begins(), *groups.begins()]
        plane_restarts = [
            *row_restarts, tile_row.eq(0), lane.eq(0), *tile_rows.begins(), below.eq(0), last_row.eq(command.pointwise),
            row_has_data.eq(first_has_data), is_data.eq(first_has_data & nothing_left),
            rows_above.eq(first_above), rows_within.eq(first_within),
        ]

        m.d.comb += [
            self.o.valid.eq(active & (~is_data | gearbox.o.valid)),
            gearbox.o.ready.eq(is_data & self.o.ready),
            self.o.payload.pixels.eq(Mux(is_data, gearbox.o.payload.units.as_value(), 0)),
            self.o.payload.address.eq(row_base + Mux(command.pointwise, group, group[1:])),
            self.o.payload.odd_row.eq(Mux(command.pointwise, bank_memory[1], tile_row[0])),
            self.o.payload.odd_column.eq(Mux(command.pointwise, bank_memory[0], group[0])),
            self.o.payload.lane.eq(Mux(command.pointwise, bank_lane, lane)),
        ]
        last_bank = bank == configuration.point_banks - 1
        row_done = groups.is_last & group_done
        plane_done = row_done & last_row
        m.d.comb += self.o.payload.plane_last.eq(plane_done)

        # The command that ends is still offered in the cycle after its last row.
        m.d.sync += self.command.ready.eq(0)
        with m.If(~active):
            limit = Mux(command.exclusive, 1, 2)
            first_plane = Mux(in_block, plane_base, command.buffer_base)
            m.d.sync += [
                *row_begins, *plane_restarts, *(statement for count in counts for statement in count.begins()),
                *written_planes.begins(),
                plane_base.eq(first_plane),
                row_base.eq(first_plane),
                is_data.eq(0),
            ]
            with m.If(known & ~self.command.ready & (in_block | (self.open_blocks < limit))):
                m.d.comb += self.begin.eq(~in_block)
                m.d.sync += [active.eq(1), expects.eq(some_rows), is_data.eq(first_has_data & nothing_left)]
        with m.Elif(self.o.valid & self.o.ready):
            ends = row_ended | (is_data & gearbox.o.payload.last)
            past_left = left_done | left.is_last
            m.d.sync += [
                bank.eq(Mux(last_bank, 0, bank + 1)),
                group_done.eq(~command.pointwise | (configuration.point_banks == 1)
                              | (bank == configuration.point_banks - 2)),
                row_ended.eq(ends), left_done.eq(past_left), is_data.eq(row_has_data & past_left & ~ends),
            ]
            left.advance(m)
            with m.If(group_done):
                m.d.sync += group.eq(group + 1)
                groups.advance(m)
            with m.If(row_done):
                m.d.sync += [
                    *row_restarts, row_has_data.eq(next_has_data), is_data.eq(next_has_data & nothing_left),
                    lane.eq(lane + 1), last_row.eq(below & (lane == 0)),
                ]
                with m.If(rows_above != 0):
                    m.d.sync += rows_above.eq(rows_above - 1)
                with m.Elif(rows_within != 0):
                    m.d.sync += rows_within.eq(rows_within - 1)
                with m.If(lane == edge - 1):
                    m.d.sync += [lane.eq(0), tile_row.eq(tile_row + 1), below.eq(tile_rows.is_last)]
                    tile_rows.advance(m)
                    with m.If(tile_row[0]):
                        m.d.sync += row_base.eq(row_base + command.row_words)
            with m.If(plane_done):
                next_plane = plane_base + command.plane_words
                m.d.sync += [*plane_restarts, plane_base.eq(next_plane), row_base.eq(next_plane)]
                written_planes.advance(m)
                with m.If(written_planes.is_last):
                    m.d.sync += [active.eq(0), is_data.eq(0), in_block.eq(command.planes_follow),
                                 self.command.ready.eq(1)]
        return m
