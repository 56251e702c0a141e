"""The record of an output channel that travels ahead of its weights, and where it joins the results."""

from __future__ import annotations

from enum import IntFlag

from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import CHANNEL_RECORD_BYTES, WinogradConfiguration
from cortado.gateware.inverse_transform import output_layout
from cortado.gateware.pipeline import payload_register, stage

RECORD_LAYOUT = data.StructLayout({
    "bias": signed(32),
    "multiplier": unsigned(16),
    "shift": unsigned(6),
    "flags": unsigned(2),
    "slope": unsigned(8),
})
assert RECORD_LAYOUT.size == 8 * CHANNEL_RECORD_BYTES


class ChannelFlag(IntFlag):
    """Bits of a record's `flags`."""

    RELU = 1
    """Negative results are multiplied by `slope` / 256, which is 0 where the configuration is not leaky."""


def recorded_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """Results of one tile and output channel with the record of that channel."""
    return data.StructLayout({
        "y": data.ArrayLayout(signed(configuration.widths.y_bits), configuration.m**2),
        "record": RECORD_LAYOUT,
        "channel": range(configuration.pk),
    })


class ChannelRecords(wiring.Component):
    """Gives each result its channel's record. Latency one cycle; a filter block's records leave with its last result.

    Records are there before the first result that needs them, for they come ahead of the weights it is made with; no
    result waits for them.

    Members
    -------
    i : In(stream of output_layout(...))
    i_records : In(stream of pk records)
    o : Out(stream of recorded_layout(...))
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(output_layout(configuration))),
            "i_records": In(stream.Signature(unsigned(RECORD_LAYOUT.size * configuration.pk))),
            "o": Out(stream.Signature(recorded_layout(configuration))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self._configuration
        # Where sums wait for the last channel pass, the records of all filter blocks in the accumulators come at once.
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=RECORD_LAYOUT.size * configuration.pk,
                                                           depth=configuration.tiles)
        wiring.connect(m, queue.w_stream, wiring.flipped(self.i_records))
        records = queue.r_stream
        # A register, for the queue is a block RAM, which answers late in its cycle.
        moves = stage(m, self.i.valid, self.o.valid, self.o.ready)
        m.d.comb += [
            self.i.ready.eq(moves),
            records.ready.eq(self.i.valid & moves & self.i.payload.last),
        ]
        payload = payload_register(m, self.o.payload)
        with m.If(moves):
            m.d.sync += [
                payload.y.eq(self.i.payload.y),
                payload.channel.eq(self.i.payload.channel),
                payload.record.as_value().eq(
                    records.payload.word_select(self.i.payload.channel, RECORD_LAYOUT.size)),
            ]
        return m
