"""The leaky rectifier."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.channel_record import ChannelFlag
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.pipeline import payload_register, stage
from cortado.gateware.relu import activated_layout
from cortado.gateware.requantize import requantized_layout
from cortado.numerics.leaky_relu import SLOPE_BITS


class LeakyRelu(wiring.Component):
    """Negative results times slope / 256, rounded half to even, for the channels whose record asks for it:
    `numerics.leaky_relu` to the bit. Latency two cycles, one tile and channel a cycle; takes the place of `Relu`.

    Members
    -------
    i : In(stream of requantized_layout(...))
    o : Out(stream of activated_layout(...))
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        assert configuration.leaky
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(requantized_layout(configuration))),
            "o": Out(stream.Signature(activated_layout(configuration))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self._configuration
        valid = Signal(name="valid_0")
        leaks, channel = (Signal(shape, name=name, reset_less=True) for name, shape in (
            ("leaks", 1), ("channel", range(configuration.pk))))
        payload = payload_register(m, self.o.payload)
        second_moves = stage(m, valid, self.o.valid, self.o.ready)
        first_moves = stage(m, self.i.valid, valid, second_moves)
        m.d.comb += self.i.ready.eq(first_moves)
        with m.If(first_moves):
            m.d.sync += [leaks.eq((self.i.payload.flags & ChannelFlag.RELU) != 0), channel.eq(self.i.payload.channel)]
        with m.If(second_moves):
            m.d.sync += payload.channel.eq(channel)
        slope = Signal(signed(SLOPE_BITS + 1))
        m.d.comb += slope.eq(self.i.payload.slope)
        half = 2 ** (SLOPE_BITS - 1) - 1
        for n in range(configuration.m**2):
            y = Signal(signed(configuration.data_bits), name=f"y_{n}", reset_less=True)
            product = Signal(signed(configuration.data_bits + SLOPE_BITS), name=f"product_{n}", reset_less=True)
            with m.If(first_moves):
                m.d.sync += [y.eq(self.i.payload.y[n]), product.eq(self.i.payload.y[n] * slope)]
            # The constant and the last bit that stays carry exactly where half to even rounds up.
            leaked = (product + half + product[SLOPE_BITS]) >> SLOPE_BITS
            with m.If(second_moves):
                m.d.sync += payload.y[n].eq(Mux(leaks & (y < 0), leaked, y))
        return m
