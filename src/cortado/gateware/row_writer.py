"""Writing rows of the output to memory in bursts."""

from __future__ import annotations

from math import gcd

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import BURST_BEATS, WinogradConfiguration
from cortado.gateware.gearbox import Gearbox
from cortado.gateware.linear import times
from cortado.gateware.row_buffer import segment_layout
from cortado.gateware.stream_reader import REQUEST_LAYOUT, next_burst

# Beats that may wait for the memory.
WRITE_QUEUE = 2 * BURST_BEATS


def writer_command_layout() -> data.StructLayout:
    """What the writer needs of a descriptor."""
    return data.StructLayout({
        "filter_blocks": unsigned(16),
        "output_address": unsigned(32),
        "output_plane_pitch": unsigned(32),
        "output_row_pitch": unsigned(32),
        "output_rows": unsigned(16),
        "output_row_beats": unsigned(16),
        "joined_rows": unsigned(1),
    })


class RowWriter(wiring.Component):
    """Writes each row to its address, for each filter block the rows of its plane.

    Rows that follow each other in memory go out as one run for each row of tiles, since short bursts leave the memory
    idle. What lies beyond the right edge of the output inside a row's last beat is written with whatever the tile holds
    there; beats beyond that one are not written.

    Members
    -------
    command : In(stream of writer_command_layout())
    i : In(stream of segment_layout(...))
    request : Out(stream of REQUEST_LAYOUT)
    o : Out(stream of beats)
    response : In(stream of 1 bit)
        One for each burst, 1 for an error.
    idle : Out(1)
        Nothing is held and every burst has been answered.
    block_done : Out(1)
        High for the cycle in which the last beat of a block is queued.
    failed : Out(1)
        High for each burst answered with an error.
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "command": In(stream.Signature(writer_command_layout())),
            "i": In(stream.Signature(segment_layout(configuration))),
            "request": Out(stream.Signature(REQUEST_LAYOUT)),
            "o": Out(stream.Signature(unsigned(configuration.beat_bits))),
            "response": In(stream.Signature(1)),
            "idle": Out(1),
            "block_done": Out(1),
            "failed": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration, command = self._configuration, self.command.payload
        beat_bits, beat_bytes = configuration.beat_bits, configuration.beat_bytes
        segment_bits = 8 * configuration.m * configuration.output_pixel_bytes
        unit_bits = gcd(segment_bits, beat_bits)
        m.submodules.gearbox = gearbox = Gearbox(unit_bits=unit_bits, units_in=segment_bits // unit_bits,
                                                 units_out=beat_bits // unit_bits)
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(width=beat_bits, depth=WRITE_QUEUE)
        wiring.connect(m, wiring.flipped(self.o), queue.r_stream)

        # Rows in: the first segment of a run of rows sets off its bursts.
        in_block, asking = Signal(), Signal()
        row_address, plane_address, address = Signal(32), Signal(32), Signal(32)
        rows_left, filters_left, beats_left = Signal(16), Signal(16), Signal(20)
        edge = configuration.m
        lane, run_rows, run_beats = Signal(range(edge)), Signal(range(edge + 1)), Signal(20)
        m.d.comb += run_rows.eq(Mux(command.joined_rows, Mux(rows_left < edge, rows_left, edge), 1))
        with m.Switch(run_rows):
            for rows in range(1, edge + 1):
                with m.Case(rows):
                    m.d.comb += run_beats.eq(times(command.output_row_beats, rows))
        opens = self.i.payload.first & (~command.joined_rows | (lane == 0))
        enters = in_block & (rows_left != 0) & (~opens | ~asking)
        m.d.comb += [
            gearbox.i.valid.eq(self.i.valid & enters),
            self.i.ready.eq(gearbox.i.ready & enters),
            gearbox.i.payload.units.as_value().eq(self.i.payload.pixels),
            gearbox.i.payload.count.eq(segment_bits // unit_bits),
            gearbox.i.payload.last.eq(self.i.payload.last),
        ]
        # The length of a burst is found in the cycle before it is asked for.
        burst, more, sized = Signal(8), Signal(), Signal()
        next_beats = next_burst(address, beats_left, beat_bytes)
        m.d.sync += [burst.eq(next_beats), more.eq(beats_left != next_beats)]
        m.d.comb += [
            self.request.valid.eq(sized),
            self.request.payload.address.eq(address),
            self.request.payload.beats.eq(burst),
        ]
        asked = self.request.valid & self.request.ready
        m.d.sync += sized.eq(asking & ~asked)
        with m.If(asked):
            m.d.sync += [address.eq(address + burst * beat_bytes), beats_left.eq(beats_left - burst)]
            with m.If(~more):
                m.d.sync += asking.eq(0)
        with m.If(self.i.valid & self.i.ready & opens):
            m.d.sync += [asking.eq(1), address.eq(row_address), beats_left.eq(run_beats)]
        with m.If(self.i.valid & self.i.ready & self.i.payload.last):
            m.d.sync += [
                row_address.eq(row_address + command.output_row_pitch), rows_left.eq(rows_left - 1),
                lane.eq(Mux(lane == edge - 1, 0, lane + 1))]
            with m.If(rows_left == 1):
                next_plane = plane_address + command.output_plane_pitch
                # After the block's last row none is left: the next block's rows wait for their own command.
                m.d.sync += [
                    lane.eq(0),
                    row_address.eq(next_plane), plane_address.eq(next_plane), filters_left.eq(filters_left - 1),
                    rows_left.eq(Mux(filters_left == 1, 0, command.output_rows))]

        # Beats out: a row keeps as many as it has in memory.
        kept_beats, kept_rows_left, kept_filters_left = Signal(16), Signal(16), Signal(16)
        keep = kept_beats < command.output_row_beats
        m.d.comb += [
            queue.w_stream.payload.eq(gearbox.o.payload.units.as_value()),
            queue.w_stream.valid.eq(gearbox.o.valid & keep),
            gearbox.o.ready.eq(queue.w_stream.ready | ~keep),
        ]
        with m.If(gearbox.o.valid & gearbox.o.ready):
            m.d.sync += kept_beats.eq(kept_beats + 1)
            with m.If(gearbox.o.payload.last):
                m.d.sync += [kept_beats.eq(0), kept_rows_left.eq(kept_rows_left - 1)]
                with m.If(kept_rows_left == 1):
                    m.d.sync += [kept_rows_left.eq(command.output_rows), kept_filters_left.eq(kept_filters_left - 1)]
                    with m.If(kept_filters_left == 1):
                        m.d.sync += in_block.eq(0)
                        m.d.comb += [self.block_done.eq(1), self.command.ready.eq(1)]
        with m.If(~in_block & self.command.valid):
            m.d.sync += [
                in_block.eq(1),
                row_address.eq(command.output_address), plane_address.eq(command.output_address),
                rows_left.eq(command.output_rows), kept_rows_left.eq(command.output_rows),
                filters_left.eq(command.filter_blocks), kept_filters_left.eq(command.filter_blocks),
            ]

        outstanding = Signal(16)
        answered = self.response.valid & self.response.ready
        m.d.sync += outstanding.eq(outstanding + asked - answered)
        m.d.comb += [
            self.response.ready.eq(1),
            self.failed.eq(answered & self.response.payload[0]),
            self.idle.eq(~in_block & ~asking & (outstanding == 0) & ~queue.r_rdy),
        ]
        return m
