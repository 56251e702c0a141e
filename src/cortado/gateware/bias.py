"""Adding the bias."""

from __future__ import annotations

from amaranth.hdl import Module, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.channel_record import RECORD_LAYOUT, recorded_layout
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.pipeline import payload_register, stage


def biased_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """Sums with their bias: `sums[row * m + column]`."""
    return data.StructLayout({
        "sums": data.ArrayLayout(signed(configuration.sum_bits), configuration.m**2),
        "record": RECORD_LAYOUT,
        "channel": range(configuration.pk),
    })


class Bias(wiring.Component):
    """Adds the channel's bias to each of the m x m results. Latency one cycle, one tile and channel a cycle.

    Members
    -------
    i : In(stream of recorded_layout(...))
    o : Out(stream of biased_layout(...))
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(recorded_layout(configuration))),
            "o": Out(stream.Signature(biased_layout(configuration))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        moves = stage(m, self.i.valid, self.o.valid, self.o.ready)
        m.d.comb += self.i.ready.eq(moves)
        payload = payload_register(m, self.o.payload)
        with m.If(moves):
            m.d.sync += [
                payload.record.eq(self.i.payload.record),
                payload.channel.eq(self.i.payload.channel),
                *(payload.sums[n].eq(self.i.payload.y[n] + self.i.payload.record.bias)
                  for n in range(self._configuration.m**2)),
            ]
        return m
