"""Adding two maps."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.pipeline import stage
from cortado.gateware.rounding import below_half, saturated, shifted_half_to_even
from cortado.numerics.elementwise_add import FACTOR_BITS, LARGEST_ADD_SHIFT, TOTAL_BITS


def add_command_layout() -> data.StructLayout:
    """`beats` of each operand, and the numbers of `numerics.elementwise_add.IntegerAdd`."""
    return data.StructLayout({
        "beats": unsigned(32),
        "multipliers": data.ArrayLayout(signed(FACTOR_BITS), 2),
        "shift": range(LARGEST_ADD_SHIFT + 1),
        "relu": 1,
    })


class ElementwiseAdd(wiring.Component):
    """Adds the numbers of two streams of beats, each times its multiplier: `numerics.elementwise_add` to the bit.

    The operands take turns on one multiplier a byte, which is as fast as one memory delivers them: a beat of the sum
    every two cycles.

    Members
    -------
    command : In(stream of add_command_layout())
        Held by its sender until the last beats have been taken.
    i_first, i_second : In(stream of beats)
    o : Out(stream of beats)
    """

    def __init__(self, *, beat_bits: int) -> None:
        self._beat_bits = beat_bits
        beats = stream.Signature(unsigned(beat_bits))
        super().__init__({
            "command": In(stream.Signature(add_command_layout())),
            "i_first": In(beats),
            "i_second": In(beats),
            "o": Out(beats),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        command = self.command.payload
        second = Signal()
        valid = Signal()
        shifted_valid = Signal()
        o_moves = stage(m, shifted_valid, self.o.valid, self.o.ready)
        shifted_moves = stage(m, valid, shifted_valid, o_moves)
        total_moves = ~valid | shifted_moves

        # The first operand's product is loaded, the second's added to it.
        taken, last = Signal(32), Signal()
        operand = Mux(second, self.i_second.payload, self.i_first.payload)
        takes = self.command.valid & total_moves & Mux(second, self.i_second.valid, self.i_first.valid)
        m.d.comb += [
            self.i_first.ready.eq(self.command.valid & total_moves & ~second),
            self.i_second.ready.eq(self.command.valid & total_moves & second),
            last.eq(taken == command.beats - 1),
            self.command.ready.eq(takes & second & last),
        ]
        with m.If(total_moves):
            m.d.sync += valid.eq(takes & second)
        with m.If(takes):
            m.d.sync += second.eq(~second)
            with m.If(second):
                m.d.sync += taken.eq(Mux(last, 0, taken + 1))

        multiplier = Signal(signed(FACTOR_BITS))
        shift, half = Signal(range(LARGEST_ADD_SHIFT + 1)), Signal(LARGEST_ADD_SHIFT)
        relu = Signal(2)
        m.d.comb += multiplier.eq(command.multipliers[second])
        with m.If(takes):
            m.d.sync += [shift.eq(command.shift), half.eq(below_half(command.shift)), relu[0].eq(command.relu)]
        with m.If(shifted_moves):
            m.d.sync += relu[1].eq(relu[0])
        for index in range(self._beat_bits // 8):
            total = Signal(signed(TOTAL_BITS), name=f"total_{index}")
            shifted = Signal(signed(TOTAL_BITS + 1), name=f"shifted_{index}")
            with m.If(takes):
                m.d.sync += total.eq(operand.word_select(index, 8).as_signed() * multiplier + Mux(second, total, 0))
            with m.If(shifted_moves):
                m.d.sync += shifted.eq(shifted_half_to_even(total, half, shift))
            with m.If(o_moves):
                m.d.sync += self.o.payload.word_select(index, 8).eq(
                    Mux(relu[1] & (shifted < 0), 0, saturated(shifted)))
        return m
