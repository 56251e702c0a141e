"""The rectifier."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.channel_record import ChannelFlag
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.requantize import requantized_layout


def activated_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """Finished results of one tile and output channel: `y[row * m + column]`."""
    return data.StructLayout({
        "y": data.ArrayLayout(signed(configuration.data_bits), configuration.m**2),
        "channel": range(configuration.pk),
    })


class Relu(wiring.Component):
    """max(0, y) for the channels whose record asks for it. Combinational.

    Members
    -------
    i : In(stream of requantized_layout(...))
    o : Out(stream of activated_layout(...))
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(requantized_layout(configuration))),
            "o": Out(stream.Signature(activated_layout(configuration))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        relu = (self.i.payload.flags & ChannelFlag.RELU) != 0
        m.d.comb += [
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
            self.o.payload.channel.eq(self.i.payload.channel),
            *(self.o.payload.y[n].eq(Mux(relu & (self.i.payload.y[n] < 0), 0, self.i.payload.y[n]))
              for n in range(self._configuration.m**2)),
        ]
        return m
