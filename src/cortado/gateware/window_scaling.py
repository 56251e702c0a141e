"""From the sums of windows to averages."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.column_pooling import window_layout
from cortado.gateware.pipeline import stage
from cortado.gateware.rounding import below_half, saturated, shifted_half_to_even
from cortado.numerics.requantize import LARGEST_SHIFT, MULTIPLIER_BITS, PRODUCT_BITS


def pixel_layout(*, lanes: int) -> data.StructLayout:
    """A pixel of the output; `last` of its row."""
    return data.StructLayout({"values": data.ArrayLayout(signed(8), lanes), "last": 1})


class WindowScaling(wiring.Component):
    """Multiplies each sum by its window's multiplier, shifts right with rounding half to even, and saturates to int8.
    Latency three cycles, one pixel a cycle.

    Members
    -------
    i : In(stream of window_layout(...))
    o : Out(stream of pixel_layout(...))
    """

    def __init__(self, *, lanes: int) -> None:
        self._lanes = lanes
        super().__init__({
            "i": In(stream.Signature(window_layout(lanes=lanes, average=True))),
            "o": Out(stream.Signature(pixel_layout(lanes=lanes))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        valid = [Signal(name=f"valid_{step}") for step in range(2)]
        third_moves = stage(m, valid[1], self.o.valid, self.o.ready)
        second_moves = stage(m, valid[0], valid[1], third_moves)
        first_moves = stage(m, self.i.valid, valid[0], second_moves)
        m.d.comb += self.i.ready.eq(first_moves)

        multiplier, factor = Signal(signed(MULTIPLIER_BITS + 1)), self.i.payload.factor
        shift, half = Signal(range(LARGEST_SHIFT + 1)), Signal(LARGEST_SHIFT)
        last = Signal(2)
        m.d.comb += multiplier.eq(factor.multiplier)
        with m.If(first_moves):
            m.d.sync += [shift.eq(factor.shift), half.eq(below_half(factor.shift)), last[0].eq(self.i.payload.last)]
        with m.If(second_moves):
            m.d.sync += last[1].eq(last[0])
        with m.If(third_moves):
            m.d.sync += self.o.payload.last.eq(last[1])
        for lane in range(self._lanes):
            # Wider than any product of a window, so that the bit above the largest shift is its sign.
            product = Signal(signed(PRODUCT_BITS), name=f"product_{lane}")
            shifted = Signal(signed(PRODUCT_BITS + 1), name=f"shifted_{lane}")
            with m.If(first_moves):
                m.d.sync += product.eq(self.i.payload.values[lane] * multiplier)
            with m.If(second_moves):
                m.d.sync += shifted.eq(shifted_half_to_even(product, half, shift))
            with m.If(third_moves):
                m.d.sync += self.o.payload.values[lane].eq(saturated(shifted))
        return m
