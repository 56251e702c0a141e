"""From beats of weights to channel records and groups of 3 x 3 kernels."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import CHANNEL_RECORD_BYTES, WinogradConfiguration
from cortado.gateware.gearbox import Gearbox
from cortado.gateware.loop_count import LoopCount


def unpacker_command_layout() -> data.StructLayout:
    """What the unpacker needs of a descriptor."""
    return data.StructLayout({
        "channel_blocks": unsigned(16), "filter_blocks": unsigned(16), "pointwise": unsigned(1),
        "unfinished": unsigned(1)})


def kernel_layout(configuration: WinogradConfiguration) -> data.StructLayout:
    """A group of kernels: `kernels[pair][row * 3 + column]`; pair k * pc + c of the pass is in group pair // size.

    Pointwise, `points[pair]` instead, in groups of their own size.
    """
    return data.StructLayout({
        "kernels": data.ArrayLayout(
            data.ArrayLayout(signed(configuration.weight_bits), 9), configuration.pairs_per_step),
        "points": data.ArrayLayout(signed(configuration.weight_bits), configuration.points_per_step),
        "pointwise": 1,
        "last": 1,
    })


class WeightUnpacker(wiring.Component):
    """Takes a block's weights apart: for each filter block its channel records, then the kernels of each pass.

    Records and passes start on a beat of their own. Beats hold 8 units where a group of kernels needs 9, whatever the
    port's width; the weights of a pointwise pass come as they are. A block whose sums are not finished has no records.

    Members
    -------
    command : In(stream of unpacker_command_layout())
    i : In(stream of beats)
    o : Out(stream of kernel_layout(...))
        `last` ends a pass.
    records : Out(stream of pk channel records)
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "command": In(stream.Signature(unpacker_command_layout())),
            "i": In(stream.Signature(unsigned(configuration.beat_bits))),
            "o": Out(stream.Signature(kernel_layout(configuration))),
            "records": Out(stream.Signature(unsigned(8 * CHANNEL_RECORD_BYTES * configuration.pk))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration, command = self._configuration, self.command.payload
        beat_bits, record_bits = configuration.beat_bits, 8 * CHANNEL_RECORD_BYTES * configuration.pk
        group_bits = 9 * configuration.weight_bits * configuration.pairs_per_step
        groups = configuration.pc * configuration.pk // configuration.pairs_per_step
        unit_bits = min(beat_bits // 8, configuration.weight_bits * configuration.pairs_per_step)
        m.submodules.gearbox = gearbox = Gearbox(unit_bits=unit_bits, units_in=beat_bits // unit_bits,
                                                 units_out=group_bits // unit_bits)

        # Beats: the records of a filter block, then its passes.
        in_records = Signal()
        in_passes = Signal()
        record_beat = Signal(range(max(2, configuration.record_beats)))
        beats = LoopCount("beats", Mux(command.pointwise, configuration.point_pass_beats, configuration.pass_beats))
        channels = LoopCount("channels", command.channel_blocks)
        filters = LoopCount("filters", command.filter_blocks)
        held = Signal(configuration.record_beats * beat_bits, reset_less=True)
        pass_end = beats.is_last
        pass_units = configuration.pc * configuration.pk * 9 * configuration.weight_bits // unit_bits
        last_units = pass_units - (configuration.pass_beats - 1) * (beat_bits // unit_bits)
        # A pass is between two records: the one before it has gone by then, unless its queue is full.
        takes_record = in_records & ~self.records.valid
        takes_pass = in_passes & Mux(command.pointwise, self.o.ready, gearbox.i.ready)
        m.d.comb += [
            self.records.payload.eq(held[:record_bits]),
            self.i.ready.eq(takes_record | takes_pass),
            gearbox.i.valid.eq(self.i.valid & in_passes & ~command.pointwise),
            gearbox.i.payload.units.as_value().eq(self.i.payload),
            gearbox.i.payload.count.eq(Mux(pass_end, last_units, beat_bits // unit_bits)),
            gearbox.i.payload.last.eq(pass_end),
        ]
        with m.If(self.records.valid & self.records.ready):
            m.d.sync += self.records.valid.eq(0)
        m.d.sync += self.command.ready.eq(0)
        with m.If(~in_records & ~in_passes):
            # The command that ends is still offered in the cycle after its last beat.
            begins = self.command.valid & ~self.command.ready
            m.d.sync += [in_records.eq(begins & ~command.unfinished), in_passes.eq(begins & command.unfinished),
                         *beats.begins(), *channels.begins(), *filters.begins()]
        with m.If(self.i.valid & takes_record):
            # The first beat of a record ends in the low bits.
            m.d.sync += [held.eq(Cat(held, self.i.payload)[beat_bits:]), record_beat.eq(record_beat + 1)]
            with m.If(record_beat == configuration.record_beats - 1):
                m.d.sync += [record_beat.eq(0), in_records.eq(0), in_passes.eq(1), self.records.valid.eq(1)]
        with m.If(self.i.valid & takes_pass):
            beats.advance(m)
            with m.If(pass_end):
                channels.advance(m)
                with m.If(channels.is_last):
                    m.d.sync += [in_records.eq(~command.unfinished), in_passes.eq(command.unfinished)]
                    filters.advance(m)
                    with m.If(filters.is_last):
                        m.d.sync += [in_records.eq(0), in_passes.eq(0), self.command.ready.eq(1)]

        # Groups: the gearbox fills its last group up, the pass ends after as many groups as it has kernels. A job is
        # pointwise or not as a whole, so nothing is left in the gearbox when beats go past it.
        points = command.pointwise & in_passes
        m.d.comb += [
            self.o.valid.eq(Mux(points, self.i.valid, gearbox.o.valid)),
            gearbox.o.ready.eq(self.o.ready & ~points),
            self.o.payload.kernels.as_value().eq(gearbox.o.payload.units.as_value()),
            # The payload holds until it is taken: beats pass behind a group of kernels that waits.
            self.o.payload.points.as_value().eq(Mux(points, self.i.payload, 0)),
            self.o.payload.pointwise.eq(points),
            self.o.payload.last.eq(Mux(points, pass_end, gearbox.o.payload.last)),
        ]
        assert pass_units * unit_bits == groups * group_bits, "a pass is a whole number of groups"
        return m

