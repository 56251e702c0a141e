"""Writing rows of the output to memory in bursts."""

from __future__ import annotations

from math import gcd

from amaranth.hdl import Array, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import BURST_BEATS, WinogradConfiguration
from cortado.gateware.gearbox import Gearbox
from cortado.gateware.linear import times
from cortado.gateware.loop_count import LoopCount
from cortado.gateware.pipeline import registered
from cortado.gateware.row_buffer import segment_layout
from cortado.gateware.stream_reader import REQUEST_LAYOUT, NextBurst

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
        Nothing is held and every burst has been answered. Known a cycle late, both when it begins and when it ends.
    block_done : Out(1)
        High for the cycle behind the one in which the last beat of a block is queued.
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
            "idle": Out(1, init=1),
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
        segments = registered(m, "segments", wiring.flipped(self.i))
        in_block = Signal()
        rows_remain = Signal()
        asking = Signal()
        row_address, plane_address, address = Signal(32), Signal(32), Signal(32)
        beats_left = Signal(20)
        rows, filters = LoopCount("rows", command.output_rows), LoopCount("filters", command.filter_blocks)
        edge = configuration.m
        lane = Signal(range(edge))
        run_rows = Signal(range(edge + 1))
        first_run_rows = Signal(range(edge + 1))
        # The beats of so many rows, a cycle after the command has come.
        beats_of = [Signal(20, name=f"beats_of_{count}") for count in range(edge + 1)]
        m.d.sync += [beats_of[count].eq(times(command.output_row_beats, count)) for count in range(1, edge + 1)]

        def run_of(rows_left: Value) -> Value:
            return Mux(command.joined_rows, Mux(rows_left < edge, rows_left[:len(run_rows)], edge), 1)

        # Those behind the row that ends: its few bits and the others apart, for a subtraction would be late.
        low = rows.left[:edge.bit_length()]
        run_behind = Mux(command.joined_rows,
                         Mux((low <= edge) & ~rows.left[len(low):].any(), (low - 1)[:len(run_rows)], edge), 1)
        m.d.sync += first_run_rows.eq(run_of(command.output_rows))
        opens = segments.payload.first & (~command.joined_rows | (lane == 0))
        enters = in_block & rows_remain & (~opens | ~asking)
        m.d.comb += [
            gearbox.i.valid.eq(segments.valid & enters),
            segments.ready.eq(gearbox.i.ready & enters),
            gearbox.i.payload.units.as_value().eq(segments.payload.pixels),
            gearbox.i.payload.count.eq(segment_bits // unit_bits),
            gearbox.i.payload.last.eq(segments.payload.last),
        ]
        entered = segments.valid & segments.ready
        # What comes next is found in the cycle before it is asked for.
        burst = NextBurst(m, address, beats_left, beat_bytes)
        sized = Signal()
        m.d.comb += [
            self.request.valid.eq(sized),
            self.request.payload.address.eq(address),
            self.request.payload.beats.eq(burst.beats),
        ]
        asked = self.request.valid & self.request.ready
        m.d.sync += sized.eq(asking & ~asked)
        with m.If(asked):
            m.d.sync += [address.eq(burst.address_after), beats_left.eq(burst.left_after), asking.eq(burst.more)]
        with m.If(entered & opens):
            m.d.sync += [asking.eq(1), address.eq(row_address), beats_left.eq(Array(beats_of)[run_rows])]
        with m.If(entered & segments.payload.last):
            m.d.sync += [
                row_address.eq(row_address + command.output_row_pitch),
                lane.eq(Mux(lane == edge - 1, 0, lane + 1)),
                run_rows.eq(run_behind),
            ]
            rows.advance(m)
            with m.If(rows.is_last):
                next_plane = plane_address + command.output_plane_pitch
                m.d.sync += [
                    lane.eq(0), run_rows.eq(first_run_rows), row_address.eq(next_plane), plane_address.eq(next_plane)]
                filters.advance(m)
                with m.If(filters.is_last):
                    # None is left: the next block's rows wait for their own command.
                    m.d.sync += rows_remain.eq(0)

        # Beats out: a row keeps as many as it has in memory.
        kept_beats = Signal(16)
        keep = Signal()
        kept_rows = LoopCount("kept_rows", command.output_rows)
        kept_filters = LoopCount("kept_filters", command.filter_blocks)
        row_begins = [kept_beats.eq(command.output_row_beats), keep.eq(1)]
        # Whether the queue has room is known a cycle late, so two places stay empty.
        has_room = Signal(init=1)
        m.d.sync += has_room.eq(queue.level < WRITE_QUEUE - 2)
        m.d.comb += [
            queue.w_stream.payload.eq(gearbox.o.payload.units.as_value()),
            queue.w_stream.valid.eq(gearbox.o.valid & keep & has_room),
            gearbox.o.ready.eq(has_room | ~keep),
        ]
        # The command that ends is still offered in the cycle after its last beat: what follows from its end goes far.
        m.d.sync += self.block_done.eq(0)
        m.d.comb += self.command.ready.eq(self.block_done)
        with m.If(gearbox.o.valid & gearbox.o.ready):
            m.d.sync += [kept_beats.eq(kept_beats - 1), keep.eq(keep & (kept_beats != 1))]
            with m.If(gearbox.o.payload.last):
                m.d.sync += row_begins
                kept_rows.advance(m)
                with m.If(kept_rows.is_last):
                    kept_filters.advance(m)
                    with m.If(kept_filters.is_last):
                        m.d.sync += [in_block.eq(0), self.block_done.eq(1)]
        with m.If(~in_block):
            m.d.sync += [
                in_block.eq(self.command.valid & ~self.block_done), rows_remain.eq(1), *row_begins,
                row_address.eq(command.output_address), plane_address.eq(command.output_address),
                run_rows.eq(run_of(command.output_rows)),
                *(statement for count in (rows, filters, kept_rows, kept_filters) for statement in count.begins()),
            ]

        outstanding = Signal(16)
        answered = self.response.valid & self.response.ready
        m.d.sync += [
            outstanding.eq(outstanding + asked - answered),
            self.idle.eq(~in_block & ~asking & (outstanding == 0) & (queue.level == 0) & ~queue.w_stream.valid),
        ]
        m.d.comb += [
            self.response.ready.eq(1),
            self.failed.eq(answered & self.response.payload[0]),
        ]
        return m
