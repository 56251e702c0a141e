"""The maximum along the columns of rows, a beat at a time."""

from __future__ import annotations

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.pooling_command import pooling_command_layout
from cortado.gateware.row_pooling import pooled, pooled_rows_layout
from cortado.numerics.pooling import LOWEST

# Windows this unit takes; the others are walked by `ColumnPooling`.
WIDEST, LARGEST_STEP = 3, 2


def is_wide(command: data.View) -> Value:
    """Whether the columns of a job can go through `ColumnMaximum`."""
    return ~command.average & (command.kernel_columns <= WIDEST) & (command.column_stride <= LARGEST_STEP)


def pixels_layout(*, lanes: int, beat_bits: int) -> data.StructLayout:
    """The first `count` of these pixels of the output, at least one; `last` of their row."""
    pixels = beat_bits // (8 * lanes)
    return data.StructLayout({
        "pixels": data.ArrayLayout(unsigned(8 * lanes), pixels),
        "count": range(pixels + 1),
        "last": 1,
    })


class ColumnMaximum(wiring.Component):
    """Reduces windows of at most 3 columns, stride 1 or 2, to their maximum: all that end in a beat at once.

    Beats hold at least two pixels. A row takes a cycle for each of its beats, and one more where windows end behind the
    last one.

    Members
    -------
    command : In(stream of pooling_command_layout())
        Held by its sender until the last beat of the job has been taken.
    i : In(stream of pooled_rows_layout(...))
    o : Out(stream of pixels_layout(...))
    """

    def __init__(self, *, lanes: int, beat_bits: int, average: bool) -> None:
        self._lanes, self._pixels, self._average = lanes, beat_bits // (8 * lanes), average
        assert self._pixels > 1
        super().__init__({
            "command": In(stream.Signature(pooling_command_layout())),
            "i": In(stream.Signature(pooled_rows_layout(beat_bits=beat_bits, average=average))),
            "o": Out(stream.Signature(pixels_layout(lanes=lanes, beat_bits=beat_bits))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        command, lanes, count = self.command.payload, self._lanes, self._pixels
        # Pixels before the next window's end, windows and columns yet to come; a new row begins with the command's.
        begins, behind, passes_over, final = Signal(init=1), Signal(), Signal(), Signal()
        held_skip, held_windows, held_columns = Signal(2), Signal(16), Signal(16)
        skip, windows, columns = Signal(2), Signal(16), Signal(16)
        m.d.comb += [
            skip.eq(Mux(begins, command.kernel_columns - 1 - command.left_columns, held_skip)),
            windows.eq(Mux(begins, command.output_columns, held_windows)),
            columns.eq(Mux(begins, command.input_columns, held_columns)),
        ]

        # Windows that end here.
        every = command.column_stride == 1
        room, ended = Signal(range(count + 1)), Signal(range(count + 1))
        with m.If(skip < count):
            m.d.comb += room.eq(Mux(every, count - skip, (count + 1 - skip) >> 1))
        done = Signal()
        m.d.comb += [done.eq(windows <= room), ended.eq(Mux(done, windows, room))]

        o_moves = ~self.o.valid | self.o.ready
        steps = o_moves & ~passes_over & (behind | (self.i.valid & self.command.valid))
        takes = (steps & ~behind) | (passes_over & self.i.valid)
        ends_row = (takes & self.i.payload.last & (passes_over | done)) | (steps & behind & done)
        m.d.comb += [
            self.i.ready.eq(takes),
            self.command.ready.eq(ends_row & Mux(behind, final, self.i.payload.last_row & self.i.payload.last_plane)),
        ]
        with m.If(steps):
            m.d.sync += [
                begins.eq(0), held_windows.eq(windows - ended),
                held_columns.eq(Mux(columns > count, columns - count, 0)),
                held_skip.eq(Mux(skip >= count, skip - count, Mux(every, 0, skip[0]))),
                final.eq(self.i.payload.last_row & self.i.payload.last_plane),
            ]
            # Behind the last beat there is padding, as far as windows reach.
            with m.If(~done & self.i.payload.last):
                m.d.sync += behind.eq(1)
            with m.If(done & ~behind & ~self.i.payload.last):
                m.d.sync += passes_over.eq(1)
        with m.If(ends_row):
            m.d.sync += [begins.eq(1), behind.eq(0), passes_over.eq(0)]

        # The pixels of the beat behind the two before it, each channel by itself.
        lowest = Const(LOWEST, signed(8))
        held = [[Signal(signed(8), name=f"held_{p}_{lane}") for lane in range(lanes)] for p in range(2)]
        line = [[Mux(begins, lowest, held[p][lane]) for lane in range(lanes)] for p in range(2)]
        for p in range(count):
            exists = ~behind & (p < columns)
            line.append([Mux(exists, self.i.payload.values[p * lanes + lane][:8].as_signed(), lowest)
                         for lane in range(lanes)])
        with m.If(steps):
            m.d.sync += [held[p][lane].eq(line[count + p][lane]) for p in range(2) for lane in range(lanes)]
        largest = []
        for p in range(count):
            value = Signal(8 * lanes, name=f"largest_{p}")
            third, second, first = line[p : p + 3]
            for lane in range(lanes):
                two = Mux(command.kernel_columns == 1, first[lane], pooled(second[lane], first[lane], average=False))
                m.d.comb += value.word_select(lane, 8).eq(
                    Mux(command.kernel_columns == WIDEST, pooled(third[lane], two, average=False), two))
            largest.append(value)
        with m.If(o_moves):
            m.d.sync += [self.o.valid.eq(steps & (ended != 0)), self.o.payload.count.eq(ended),
                         self.o.payload.last.eq(done)]
            places = Array(largest + [Const(0, 8 * lanes)] * (2 + count))
            for index in range(count):
                m.d.sync += self.o.payload.pixels[index].eq(Mux(every, places[skip + index], places[skip + 2 * index]))
        return m
