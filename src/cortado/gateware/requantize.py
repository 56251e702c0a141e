"""From sums to int8."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.bias import biased_layout
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.pipeline import stage
from cortado.numerics.requantize import LARGEST_SHIFT, MULTIPLIER_BITS, SUM_BITS


def requantized_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """Int8 results of one tile and output channel: `y[row * m + column]`."""
    return data.StructLayout({
        "y": data.ArrayLayout(signed(8), configuration.m**2),
        "flags": unsigned(8),
        "channel": range(configuration.pk),
    })


class Requantize(wiring.Component):
    """Multiplies each sum by its channel's multiplier, shifts right with rounding half to even, and saturates to int8:
    `numerics.requantize` to the bit. Latency three cycles, one tile and channel a cycle.

    Members
    -------
    i : In(stream of biased_layout(...))
    o : Out(stream of requantized_layout(...))
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(biased_layout(configuration))),
            "o": Out(stream.Signature(requantized_layout(configuration))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count, product_bits = self._configuration.m**2, SUM_BITS + MULTIPLIER_BITS
        valid = [Signal(name=f"valid_{step}") for step in range(2)]
        third_moves = stage(m, valid[1], self.o.valid, self.o.ready)
        second_moves = stage(m, valid[0], valid[1], third_moves)
        first_moves = stage(m, self.i.valid, valid[0], second_moves)
        m.d.comb += self.i.ready.eq(first_moves)

        record = self.i.payload.record
        multiplier = Signal(signed(MULTIPLIER_BITS + 1))
        m.d.comb += multiplier.eq(record.multiplier)
        # Just below one half of the bit that stays; the bit itself, when 1, makes it one half: half to even.
        below_half = Signal(LARGEST_SHIFT)
        shift = Signal(range(LARGEST_SHIFT + 1))
        flags, channel = ([Signal(width, name=f"{name}_{step}") for step in range(2)]
                          for name, width in (("flags", 8), ("channel", range(self._configuration.pk))))
        with m.If(first_moves):
            m.d.sync += [
                shift.eq(record.shift),
                below_half.eq(Mux(record.shift == 0, 0, ((1 << record.shift[:6]) >> 1) - 1)),
                flags[0].eq(record.flags),
                channel[0].eq(self.i.payload.channel),
            ]
        with m.If(second_moves):
            m.d.sync += [flags[1].eq(flags[0]), channel[1].eq(channel[0])]
        with m.If(third_moves):
            m.d.sync += [self.o.payload.flags.eq(flags[1]), self.o.payload.channel.eq(channel[1])]

        for n in range(count):
            product = Signal(signed(product_bits), name=f"product_{n}")
            with m.If(first_moves):
                m.d.sync += product.eq(self.i.payload.sums[n] * multiplier)
            odd = product.bit_select(shift, 1) & (shift != 0)
            rounded = Signal(signed(product_bits + 1), name=f"rounded_{n}")
            shifted = Signal(signed(product_bits + 1), name=f"shifted_{n}")
            m.d.comb += rounded.eq(product + below_half + odd)
            with m.If(second_moves):
                m.d.sync += shifted.eq(rounded >> shift)
            with m.If(third_moves):
                m.d.sync += self.o.payload.y[n].eq(
                    Mux(shifted > 127, 127, Mux(shifted < -128, -128, shifted[:8].as_signed())))
        return m
