"""From tiles back to rows of the output."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.linear import times
from cortado.gateware.loop_count import LoopCount
from cortado.gateware.relu import activated_layout


def row_command_layout() -> data.StructLayout:
    """What the row buffer needs of a descriptor."""
    return data.StructLayout({
        "tile_rows": unsigned(16),
        "tile_columns": unsigned(16),
        "filter_blocks": unsigned(16),
        "output_rows": unsigned(16),
        "pointwise": unsigned(1),
    })


def segment_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """m pixels of pk channels of one output row, the first in the low bits; `first` and `last` of the row."""
    return data.StructLayout({
        "pixels": unsigned(8 * configuration.m * configuration.output_pixel_bytes),
        "first": 1,
        "last": 1,
    })


class RowBuffer(wiring.Component):
    """Collects the pk channels of each tile and the tiles of each row of tiles, and gives out the pixel rows.

    Two rows of tiles are held: one fills while the other is given out. Rows below the output's bottom are left out. Of
    a pointwise block, each step of a tile is a row of tiles, and the whole is one row of pixels.

    Members
    -------
    command : In(stream of row_command_layout())
    i : In(stream of activated_layout(...))
    o : Out(stream of segment_layout(...))
    full : Out(1)
        Both rows of tiles are taken.
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "command": In(stream.Signature(row_command_layout())),
            "i": In(stream.Signature(activated_layout(configuration))),
            "o": Out(stream.Signature(segment_layout(configuration))),
            "full": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration, command = self._configuration, self.command.payload
        edge, pk, columns = configuration.m, configuration.pk, configuration.block_columns

        # Two halves of a memory, each a row of tiles; `taken` says which may be given out.
        taken = [Signal(name=f"taken_{half}") for half in range(2)]
        in_block, filling = Signal(), Signal()
        row_complete = Signal()
        row_given = Signal()
        fill_half = Signal()
        give_half = Signal()
        # The half that is filled is free. A cycle late where it has just been given out.
        room = Signal()
        m.d.sync += room.eq(~Mux(fill_half ^ row_complete, taken[1], taken[0]))
        m.d.comb += self.full.eq(taken[0] & taken[1])
        for half in range(2):
            with m.If(row_complete & (fill_half == half)):
                m.d.sync += taken[half].eq(1)
            with m.Elif(row_given & (give_half == half)):
                m.d.sync += taken[half].eq(0)

        # What follows from a command is known in the cycle after the one it comes in. A pointwise step is a row of one
        # tile, of which some lanes are used.
        known = Signal()
        width, rows, pixel_rows, lanes = Signal(16), Signal(16), Signal(16), Signal(range(edge + 1))
        m.d.sync += [
            known.eq(self.command.valid & ~self.command.ready),
            width.eq(Mux(command.pointwise, 1, command.tile_columns)),
            lanes.eq(Mux(command.pointwise, configuration.point_lanes, edge)),
            rows.eq(Mux(command.pointwise, times(command.tile_columns, configuration.point_steps), command.tile_rows)),
            pixel_rows.eq(Mux(command.pointwise, times(command.tile_columns, configuration.point_banks),
                              command.output_rows)),
        ]

        # In: all channels of a tile but the last wait in registers; the last one writes the tile.
        column = Signal(range(columns))
        fill_counts = fill_columns, fill_rows, fill_filters = (
            LoopCount("fill_columns", width), LoopCount("fill_rows", rows),
            LoopCount("fill_filters", command.filter_blocks))
        channel = self.i.payload.channel
        m.d.comb += self.i.ready.eq(filling & ((channel != pk - 1) | room))
        arrives = self.i.valid & self.i.ready
        tile_complete = arrives & (channel == pk - 1)
        waiting = [[Signal(configuration.data_bits, name=f"waiting_{k}_{n}", reset_less=True)
                    for n in range(edge**2)] for k in range(pk - 1)]
        for k in range(pk - 1):
            with m.If(arrives & (channel == k)):
                m.d.sync += [waiting[k][n].eq(self.i.payload.y[n]) for n in range(edge**2)]
        m.d.comb += row_complete.eq(tile_complete & fill_columns.is_last)
        with m.If(tile_complete):
            m.d.sync += column.eq(Mux(fill_columns.is_last, 0, column + 1))
            fill_columns.advance(m)
        with m.If(row_complete):
            m.d.sync += fill_half.eq(~fill_half)
            fill_rows.advance(m)
            with m.If(fill_rows.is_last):
                fill_filters.advance(m)
                with m.If(fill_filters.is_last):
                    m.d.sync += filling.eq(0)

        # Out: row by row of the half, tile by tile of the row.
        give_column, lane = Signal(range(columns)), Signal(range(edge))
        give_counts = give_columns, give_rows, give_filters = (
            LoopCount("give_columns", width), LoopCount("give_rows", pixel_rows),
            LoopCount("give_filters", command.filter_blocks))
        given_lane = Signal(range(edge))
        in_first_column, in_first_row = Signal(), Signal()
        moves = ~self.o.valid | self.o.ready
        reads = in_block & Mux(give_half, taken[1], taken[0])
        # The command that ends is still offered in the cycle after its last row.
        m.d.sync += self.command.ready.eq(0)
        with m.If(moves):
            m.d.sync += [
                self.o.valid.eq(reads),
                self.o.payload.first.eq(in_first_column & (~command.pointwise | in_first_row)),
                self.o.payload.last.eq(give_columns.is_last & (~command.pointwise | give_rows.is_last)),
                given_lane.eq(lane),
            ]
            with m.If(reads):
                m.d.sync += [give_column.eq(give_column + 1), in_first_column.eq(give_columns.is_last)]
                give_columns.advance(m)
                with m.If(give_columns.is_last):
                    m.d.sync += [give_column.eq(0), lane.eq(lane + 1), in_first_row.eq(give_rows.is_last)]
                    give_rows.advance(m)
                    with m.If(give_rows.is_last | (lane == lanes - 1)):
                        m.d.comb += row_given.eq(1)
                        m.d.sync += [lane.eq(0), give_half.eq(~give_half)]
                    with m.If(give_rows.is_last):
                        give_filters.advance(m)
                        with m.If(give_filters.is_last):
                            m.d.sync += [in_block.eq(0), self.command.ready.eq(1)]
        with m.If(~in_block):
            m.d.sync += [in_first_column.eq(1), in_first_row.eq(1)]
            for count in (*fill_counts, *give_counts):
                m.d.sync += count.begins()
            with m.If(known & ~self.command.ready):
                m.d.sync += [in_block.eq(1), filling.eq(1)]

        for row in range(edge):
            m.submodules[f"row_{row}"] = words = memory.Memory(
                shape=unsigned(8 * edge * configuration.output_pixel_bytes), depth=2 * columns, init=[])
            write, read = words.write_port(), words.read_port()
            values = [waiting[k][row * edge + x] if k < pk - 1 else self.i.payload.y[row * edge + x]
                      for x in range(edge) for k in range(pk)]
            m.d.comb += [
                write.addr.eq(Mux(fill_half, columns, 0) + column),
                write.data.eq(Cat(*values)),
                write.en.eq(tile_complete),
                read.addr.eq(Mux(give_half, columns, 0) + give_column),
                read.en.eq(moves),
            ]
            with m.If(given_lane == row):
                m.d.comb += self.o.payload.pixels.eq(read.data)
        return m
