"""From sums to the numbers of the maps."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.bias import biased_layout
from cortado.gateware.channel_record import RECORD_LAYOUT
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.pipeline import payload_register, stage
from cortado.numerics.interval import Interval
from cortado.numerics.requantize import LARGEST_SHIFT, MULTIPLIER_BITS


def requantized_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """Results of one tile and output channel: `y[row * m + column]`; `slope` where the configuration is leaky."""
    return data.StructLayout({
        "y": data.ArrayLayout(signed(configuration.data_bits), configuration.m**2),
        **{name: RECORD_LAYOUT[name].shape for name in _passed_on(configuration)},
        "channel": range(configuration.pk),
    })


def _passed_on(configuration: WinogradConfiguration) -> tuple[str, ...]:
    """Fields of the record that the activation needs."""
    return ("flags", "slope") if configuration.leaky else ("flags",)


class Requantize(wiring.Component):
    """Multiplies each sum by its channel's multiplier, shifts right with rounding half to even, and saturates to the
    width of the maps: `numerics.requantize` to the bit. Latency six cycles, one tile and channel a cycle.

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
        count, sum_bits = self._configuration.m**2, self._configuration.sum_bits
        product_bits = sum_bits + MULTIPLIER_BITS
        result = Interval.signed(self._configuration.data_bits)
        # Two halves of the product, twice, for a DSP is slow and far from what is behind it; product; shifted by bytes;
        # by bits; rounded.
        steps = 6
        valid = [Signal(name=f"valid_{step}") for step in range(steps - 1)] + [self.o.valid]
        moves = [None] * steps
        for step in reversed(range(steps)):
            moves[step] = stage(m, valid[step - 1] if step else self.i.valid, valid[step],
                                moves[step + 1] if step < steps - 1 else self.o.ready)
        m.d.comb += self.i.ready.eq(moves[0])

        record = self.i.payload.record
        shift = self._carried(m, record.shift, moves[:4], "shift")
        for name in _passed_on(self._configuration):
            m.d.comb += self.o.payload[name].eq(self._carried(m, record[name], moves, name)[-1])
        m.d.comb += self.o.payload.channel.eq(self._carried(m, self.i.payload.channel, moves, "channel")[-1])

        y = payload_register(m, self.o.payload.y, "y")
        multiplier = Signal(signed(MULTIPLIER_BITS + 1))
        m.d.comb += multiplier.eq(record.multiplier)
        for n in range(count):
            # Each half is a product that one DSP of any family makes; of sums of int16, a DSP48.
            total, half_bits = self.i.payload.sums[n], sum_bits // 2
            (low, low_again), (high, high_again) = (
                [Signal(signed(width + MULTIPLIER_BITS + 1), name=f"{name}_{n}{again}", reset_less=True)
                 for again in ("", "_again")]
                for name, width in (("low", half_bits + 1), ("high", sum_bits - half_bits)))
            with m.If(moves[0]):
                m.d.sync += [low.eq(Cat(total[:half_bits], 0).as_signed() * multiplier),
                             high.eq(total[half_bits:].as_signed() * multiplier)]
            with m.If(moves[1]):
                m.d.sync += [low_again.eq(low), high_again.eq(high)]
            # The last bit is the half that decides about rounding; what was shifted out below it is not zero.
            product, by_bytes, by_bits = (Signal(signed(product_bits + 1), name=f"{name}_{n}", reset_less=True)
                                          for name in ("product", "by_bytes", "by_bits"))
            bytes_not_zero, below = (Signal(bits, name=f"{name}_{n}", reset_less=True) for name, bits in (
                ("bytes_not_zero", LARGEST_SHIFT >> 3), ("below", 1)))
            with m.If(moves[2]):
                m.d.sync += product.eq((low_again + (high_again << half_bits)) << 1)
            with m.If(moves[3]):
                with m.Switch(shift[2][3:]):
                    for step in range((LARGEST_SHIFT >> 3) + 1):
                        with m.Case(step):
                            m.d.sync += by_bytes.eq(product >> 8 * step)
                m.d.sync += bytes_not_zero.eq(Cat(
                    product.word_select(step, 8).any() for step in range(LARGEST_SHIFT >> 3)))
            below_bytes = Signal(name=f"below_bytes_{n}")
            with m.Switch(shift[3][3:]):
                for step in range(1, (LARGEST_SHIFT >> 3) + 1):
                    with m.Case(step):
                        m.d.comb += below_bytes.eq(bytes_not_zero[:step].any())
            with m.If(moves[4]):
                with m.Switch(shift[3][:3]):
                    for step in range(8):
                        with m.Case(step):
                            m.d.sync += [by_bits.eq(by_bytes >> step),
                                         below.eq(below_bytes | by_bytes[:step].any())]
            whole = by_bits[1:].as_signed()
            up = by_bits[0] & (below | whole[0])
            sign = whole[-1]
            fits = (whole[result.bits - 1:-1] == sign.replicate(len(whole) - result.bits))
            rounded = whole[: result.bits].as_signed() + up
            with m.If(moves[5]):
                m.d.sync += y[n].eq(
                    Mux(~fits | (rounded == result.high + 1), Mux(sign, result.low, result.high),
                        rounded[: result.bits].as_signed()))
        return m

    def _carried(self, m: Module, value: Value, moves: list[Value], name: str) -> list[Signal]:
        """The value beside the data: a register for each step that moves."""
        registers = []
        for step, moved in enumerate(moves):
            registers.append(Signal.like(value, name=f"{name}_{step}", reset_less=True))
            with m.If(moved):
                m.d.sync += registers[-1].eq(registers[-2] if step else value)
        return registers
