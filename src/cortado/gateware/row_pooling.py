"""Pooling down the rows of maps."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.open_windows import OpenWindows
from cortado.gateware.pooling_command import OPEN_WINDOWS, ROW_SUM_BITS, pooling_command_layout


def pooled_rows_layout(*, beat_bits: int, average: bool) -> data.StructLayout:
    """A beat of an output row whose columns are still those of the input; `last` of the row, the map, the job."""
    return data.StructLayout({
        "values": data.ArrayLayout(signed(ROW_SUM_BITS if average else 8), beat_bits // 8),
        "last": 1,
        "last_row": 1,
        "last_plane": 1,
    })


def pooled(old: Value, new: Value, *, average: Value | bool) -> Value:
    """The larger of two numbers, or their sum where the engine can average and the job asks for it."""
    larger = Mux(old[:8].as_signed() > new[:8].as_signed(), old[:8].as_signed(), new[:8].as_signed())
    return larger if average is False else Mux(average, old + new, larger)


class RowPooling(wiring.Component):
    """Reduces the rows of each window to one, beat by beat: a maximum or a sum of every byte.

    The rows of the windows that are open lie in a memory each, `row_beats` deep. A beat a cycle goes in; rows of one
    beat take two.

    Members
    -------
    command : In(stream of pooling_command_layout())
        Held by its sender until the last beat of the job has been given out.
    i : In(stream of beats)
        The rows of the maps, `input_row_beats` each.
    o : Out(stream of pooled_rows_layout(...))
    """

    def __init__(self, *, beat_bits: int, row_beats: int, average: bool) -> None:
        self._beat_bits, self._row_beats, self._average = beat_bits, row_beats, average
        super().__init__({
            "command": In(stream.Signature(pooling_command_layout())),
            "i": In(stream.Signature(unsigned(beat_bits))),
            "o": Out(stream.Signature(pooled_rows_layout(beat_bits=beat_bits, average=average))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        command = self.command.payload
        value_bits, count = ROW_SUM_BITS if self._average else 8, self._beat_bits // 8
        average = command.average if self._average else False
        m.submodules.windows = windows = OpenWindows()
        m.d.comb += [
            windows.leading.eq(command.top_rows), windows.lines.eq(command.input_rows),
            windows.kernel.eq(command.kernel_rows), windows.stride.eq(command.row_stride),
            windows.windows.eq(command.output_rows),
        ]

        # Rows one after the other. Padding takes a cycle, unless a window ends there: then its row is given out.
        active, beat, planes_left = Signal(), Signal(range(self._row_beats)), Signal(16)
        held, held_moves = Signal(), Signal()  # the beat whose windows are being read
        held_beat = Signal.like(beat)
        row_end = beat == command.input_row_beats - 1
        passes = windows.real | windows.ends
        free = held_moves & ~(held & (held_beat == beat))  # what is being written must not be read
        takes = active & passes & free & (~windows.real | self.i.valid)
        m.d.comb += [
            self.i.ready.eq(active & windows.real & free),
            windows.step.eq(active & Mux(passes, takes & row_end, 1)),
        ]
        with m.If(takes):
            m.d.sync += beat.eq(Mux(row_end, 0, beat + 1))
        with m.If(~active & ~held & self.command.valid):
            m.d.comb += windows.begin.eq(1)
            m.d.sync += [active.eq(1), planes_left.eq(command.planes)]
        with m.If(windows.step & windows.ends & windows.last):
            m.d.comb += windows.begin.eq(1)
            m.d.sync += planes_left.eq(planes_left - 1)
            with m.If(planes_left == 1):
                m.d.sync += active.eq(0)

        held_value, held_fresh = Signal(self._beat_bits), Signal(OPEN_WINDOWS)
        held_ends, held_slot = Signal(), Signal(range(OPEN_WINDOWS))
        held_flags, flags = Signal(3), Cat(row_end, windows.last, planes_left == 1)
        # Padding changes nothing: the smallest number, or 0 in a sum.
        identity = Const(int("80" * count, 16), self._beat_bits)
        if self._average:
            identity = Mux(average, 0, identity)
        with m.If(held_moves):
            m.d.sync += held.eq(takes)
        with m.If(takes):
            m.d.sync += [
                held_value.eq(Mux(windows.real, self.i.payload, identity)), held_fresh.eq(windows.fresh),
                held_ends.eq(windows.ends), held_slot.eq(windows.ending), held_beat.eq(beat), held_flags.eq(flags),
            ]

        o_moves = ~self.o.valid | self.o.ready
        m.d.comb += held_moves.eq(~held | ~held_ends | o_moves)
        with m.If(o_moves):
            m.d.sync += self.o.valid.eq(held & held_ends)
        for slot in range(OPEN_WINDOWS):
            m.submodules[f"window_{slot}"] = words = memory.Memory(
                shape=unsigned(count * value_bits), depth=self._row_beats, init=[])
            write, read = words.write_port(), words.read_port()
            row = Signal(data.ArrayLayout(signed(value_bits), count), name=f"row_{slot}")
            for index in range(count):
                number = held_value.word_select(index, 8).as_signed()
                old = read.data.word_select(index, value_bits).as_signed()
                m.d.comb += row[index].eq(Mux(held_fresh[slot], number, pooled(old, number, average=average)))
            m.d.comb += [
                read.addr.eq(beat), read.en.eq(takes),
                write.addr.eq(held_beat), write.data.eq(row.as_value()), write.en.eq(held & held_moves),
            ]
            with m.If(o_moves & (held_slot == slot)):
                m.d.sync += self.o.payload.values.eq(row)
        with m.If(o_moves):
            m.d.sync += Cat(self.o.payload.last, self.o.payload.last_row, self.o.payload.last_plane).eq(held_flags)
        # The command is wanted until the last beat has its value.
        m.d.comb += self.command.ready.eq(held & held_ends & o_moves & held_flags.all())
        return m
