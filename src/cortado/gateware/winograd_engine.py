"""The Winograd overlay engine: every unit, wired."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.bias import Bias
from cortado.gateware.block_loader import BlockLoader, loader_command_layout
from cortado.gateware.channel_record import ChannelRecords
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.credit_gate import CreditGate
from cortado.gateware.cycle_counters import COUNTERS_SIGNATURE, CycleCounters
from cortado.gateware.descriptor import ErrorCode, Flag
from cortado.gateware.descriptor_decoder import DescriptorDecoder
from cortado.gateware.input_transform import InputTransform
from cortado.gateware.inverse_transform import InverseTransform
from cortado.gateware.leaky_relu import LeakyRelu
from cortado.gateware.linear import times
from cortado.gateware.mac_array import MacArray, sum_layout
from cortado.gateware.map_unit import MapUnit
from cortado.gateware.pipeline import StreamRegister, register, registered
from cortado.gateware.relu import Relu, activated_layout
from cortado.gateware.requantize import Requantize
from cortado.gateware.row_buffer import RowBuffer, row_command_layout
from cortado.gateware.row_writer import RowWriter, writer_command_layout
from cortado.gateware.stream_reader import COMMAND_LAYOUT, REQUEST_LAYOUT, StreamReader
from cortado.gateware.stream_switch import connected, one_of_two_sinks, one_of_two_sources
from cortado.gateware.tile_buffer import TileBuffer, reader_command_layout
from cortado.gateware.weight_transform import WeightTransform
from cortado.gateware.weight_unpacker import WeightUnpacker, unpacker_command_layout

IDENTITY = 0x434F5254  # "CORT"

# Blocks decoded ahead of the one being written back. Small blocks pass in fewer cycles than the memory takes to answer,
# so several are under way at once.
COMMAND_QUEUE = 8

# Results between the multipliers and the rows: twice the cycles that one takes, so that none is waited for.
RESULT_QUEUE = 32


def engine_signature(configuration: WinogradConfiguration) -> wiring.Signature:
    """The ports of an engine; `WinogradEngine` says what they are for."""
    beats, requests = stream.Signature(unsigned(configuration.beat_bits)), stream.Signature(REQUEST_LAYOUT)
    return wiring.Signature({
        "descriptor": In(stream.Signature(unsigned(32))),
        "activations_request": Out(requests),
        "activations": In(beats),
        "weights_request": Out(requests),
        "weights": In(beats),
        "results_request": Out(requests),
        "results": Out(beats),
        "results_response": In(stream.Signature(unsigned(1))),
        "status": Out(wiring.Signature({"busy": Out(1), "error": Out(8)})),
        "identity": Out(32),
        "configuration_hash": Out(64),
        "counters": Out(COUNTERS_SIGNATURE),
    })


class WinogradEngine(wiring.Component):
    """Runs jobs of convolutions on (m + 2)**2 * pc * pk multipliers.

    A kernel larger than 3 x 3, or a stride, is several 3 x 3 kernels on shifted and stepped views of the map, added up;
    a 1 x 1 kernel takes the multipliers without the transforms. Where the configuration asks for it, pooling and
    addition of maps run as jobs of their own, from memory to memory.

    Members
    -------
    descriptor : In(stream of 32-bit words)
        Descriptors of `gateware.descriptor`; the last of a job is flagged. The words of the next job
        are taken when the engine is no longer busy.
    activations_request, weights_request, results_request : Out(stream of REQUEST_LAYOUT)
        Bursts of consecutive beats at a byte address.
    activations, weights : In(stream of beats)
        The answers, in the order of the requests.
    results : Out(stream of beats)
        The data of the write bursts, in the order of the requests.
    results_response : In(stream of 1 bit)
        One for each write burst, 1 for an error.
    status : busy from a job's first word to its last write response; error, an `ErrorCode` that stays until reset.
    identity, configuration_hash : constants the driver checks before its first job.
    counters : see `cycle_counters`; they clear when a job begins.
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self.configuration = configuration
        super().__init__(engine_signature(configuration))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self.configuration
        m.submodules.decoder = decoder = DescriptorDecoder(configuration)
        m.submodules.activation_reader = activation_reader = StreamReader(beat_bits=configuration.beat_bits)
        m.submodules.weight_reader = weight_reader = StreamReader(beat_bits=configuration.beat_bits)
        m.submodules.loader = loader = BlockLoader(configuration)
        m.submodules.tiles = tiles = TileBuffer(configuration)
        m.submodules.input_transform = input_transform = InputTransform(configuration)
        m.submodules.unpacker = unpacker = WeightUnpacker(configuration)
        m.submodules.weight_transform = weight_transform = WeightTransform(configuration)
        m.submodules.mac_array = mac_array = MacArray(configuration)
        m.submodules.inverse_transform = inverse_transform = InverseTransform(configuration)
        m.submodules.records = records = ChannelRecords(configuration)
        m.submodules.bias = bias = Bias(configuration)
        m.submodules.requantize = requantize = Requantize(configuration)
        m.submodules.relu = relu = LeakyRelu(configuration) if configuration.leaky else Relu(configuration)
        m.submodules.gate = gate = CreditGate(sum_layout(configuration), credits=RESULT_QUEUE)
        m.submodules.results = results = fifo.SyncFIFOBuffered(width=activated_layout(configuration).size,
                                                               depth=RESULT_QUEUE)
        m.submodules.rows = rows = RowBuffer(configuration)
        m.submodules.writer = writer = RowWriter(configuration)
        m.submodules.cycle_counters = cycle_counters = CycleCounters()

        results_out = stream.Signature(activated_layout(configuration)).create(path=("results_out",))
        m.d.comb += [
            results_out.payload.as_value().eq(results.r_data),
            results_out.valid.eq(results.r_rdy),
            results.r_en.eq(results_out.ready),
        ]
        for source, sink in (
            (wiring.flipped(self.activations), activation_reader.i),
            (loader.o, tiles.i),
            (wiring.flipped(self.weights), weight_reader.i),
            (mac_array.o, gate.i),
            (gate.o, inverse_transform.i),
            (inverse_transform.o, records.i),
            (unpacker.records, records.i_records),
            (records.o, bias.i),
            (bias.o, requantize.i),
            (requantize.o, relu.i),
            (rows.o, writer.i),
            (results_out, rows.i),
        ):
            wiring.connect(m, source, sink)
        # From the gate to the queue of results nothing ever waits.
        m.d.comb += [
            results.w_data.eq(relu.o.payload.as_value()),
            results.w_en.eq(relu.o.valid),
            relu.o.ready.eq(1),
            gate.back.eq(results.r_rdy & results.r_en),
        ]
        for name, source, sink in (
            ("activations_request_register", activation_reader.request, wiring.flipped(self.activations_request)),
            ("weights_request_register", weight_reader.request, wiring.flipped(self.weights_request)),
            ("tiles_register", tiles.o, input_transform.i),
            ("weights_register", unpacker.o, weight_transform.i),
            ("transformed_tiles_register", input_transform.o, mac_array.i),
            ("transformed_weights_register", weight_transform.o, mac_array.i_weights),
        ):
            register(m, name, source, sink)
        m.d.comb += [tiles.begin.eq(loader.begin), loader.open_blocks.eq(tiles.open_blocks)]

        decoded = decoder.o.payload
        flag = {flag: (decoded.flags & flag) != 0 for flag in Flag}
        runs = Signal()
        drains = Signal()
        m.d.comb += [
            runs.eq(~flag[Flag.PLANES_FOLLOW]),
            drains.eq(runs & ~flag[Flag.UNFINISHED]),
        ]
        # What a block's units and the map unit share, each stream with its end at both.
        input_command, weight_command = (stream.Signature(COMMAND_LAYOUT).create(path=(name,))
                                         for name in ("input_command", "weight_command"))
        shared_sources = (
            (registered(m, "activations_register", activation_reader.o), loader.i, "i_first"),
            (registered(m, "weights_beat_register", weight_reader.o), unpacker.i, "i_second"),
            (self.results_response, writer.response, "response"),
        )
        shared_sinks = (
            (input_command, "first_command", activation_reader.command),
            (weight_command, "second_command", weight_reader.command),
            (writer.request, "request", self.results_request),
            (writer.o, "o", self.results),
        )
        maps_run, map_ends, map_failed = Signal(), Signal(), Signal()
        if configuration.map_units:
            m.submodules.maps = maps = MapUnit(configuration)
            for source, sink, name in shared_sources:
                one_of_two_sinks(m, maps_run, source, (sink, getattr(maps, name)))
            for source, name, sink in shared_sinks:
                one_of_two_sources(m, maps_run, (source, getattr(maps, name)), sink)
            m.d.comb += [
                maps.command.payload.eq(decoder.o_map.payload),
                maps.command.valid.eq(maps_run),
                decoder.o_map.ready.eq(maps_run & maps.command.ready),
                map_ends.eq(maps_run & maps.command.ready & ((decoder.o_map.payload.flags & Flag.LAST) != 0)),
                map_failed.eq(maps.failed),
            ]
        else:
            for source, sink, _ in shared_sources:
                connected(m, source, sink)
            for source, _, sink in shared_sinks:
                connected(m, source, sink)

        dispatched = self._commands(m, decoder, (
            (input_command, decoded.input_rows != 0, self._activation_command),
            (loader.command, Const(1), self._same_fields(loader_command_layout())),
            (weight_command, runs, self._weight_command),
            (unpacker.command, runs, self._same_fields(unpacker_command_layout())),
            (tiles.command, runs, self._same_fields(reader_command_layout())),
            (rows.command, drains, self._same_fields(row_command_layout())),
            (writer.command, drains, self._same_fields(writer_command_layout())),
        ))

        # A job is open from its first word to the dispatch of its last descriptor; then its results run dry.
        job_open = Signal()
        # As many as the writer's queue and its register hold.
        blocks = Signal(range(COMMAND_QUEUE + 3))
        # The next job waits for the end of this one: its first block may lie where this one's last is still read.
        takes_words = job_open | ~self.status.busy
        m.d.comb += [
            decoder.i.payload.eq(self.descriptor.payload),
            decoder.i.valid.eq(self.descriptor.valid & takes_words),
            self.descriptor.ready.eq(decoder.i.ready & takes_words),
        ]
        first_word = self.descriptor.valid & self.descriptor.ready & ~self.status.busy
        write_failed = Signal()
        if configuration.map_units:
            # A map job begins when the blocks before it have run dry, and the next descriptor waits for its end.
            with m.If(maps_run & maps.command.ready):
                m.d.sync += maps_run.eq(0)
            with m.Elif(decoder.o_map.valid & (blocks == 0) & writer.idle):
                m.d.sync += maps_run.eq(1)
        with m.If(decoder.error != ErrorCode.NONE):
            m.d.sync += job_open.eq(0)
        with m.Elif(map_ends | (dispatched & ((decoder.o.payload.flags & Flag.LAST) != 0))):
            m.d.sync += job_open.eq(0)
        with m.Elif(self.descriptor.valid & self.descriptor.ready):
            m.d.sync += job_open.eq(1)
        m.d.sync += blocks.eq(blocks + (dispatched & drains) - writer.block_done)
        with m.If((writer.failed | map_failed) & (decoder.error == ErrorCode.NONE)):
            m.d.sync += write_failed.eq(1)
        m.d.comb += [
            self.status.busy.eq(job_open | (blocks != 0) | ~writer.idle),
            self.status.error.eq(Mux(write_failed, ErrorCode.WRITE_FAILED, decoder.error)),
            self.identity.eq(IDENTITY),
            self.configuration_hash.eq(int(configuration.hash, 16)),
        ]

        # A finish follows the job's last block; between blocks and before the first one the wait is for the set-up.
        # Records queue up behind unwritten results, and the weights behind the records.
        records_wait = unpacker.records.valid & ~unpacker.records.ready
        results_wait = mac_array.queue_full | (mac_array.weights_missing & records_wait)
        m.d.comb += [
            cycle_counters.clear.eq(first_word),
            cycle_counters.running.eq(self.status.busy),
            cycle_counters.busy.eq(mac_array.i.valid & mac_array.i.ready),
            cycle_counters.is_map.eq(maps_run),
            cycle_counters.is_output.eq(results_wait & rows.full),
            cycle_counters.is_drain.eq(results_wait),
            cycle_counters.is_weights.eq(mac_array.weights_missing),
            cycle_counters.is_hazard.eq(mac_array.too_soon),
            cycle_counters.is_input.eq(tiles.reading),
            cycle_counters.is_finish.eq(~job_open),
        ]
        for name in COUNTERS_SIGNATURE.members:
            m.d.comb += getattr(self.counters, name).eq(getattr(cycle_counters.counters, name))
        return m

    def _commands(self, m: Module, decoder: DescriptorDecoder, consumers: tuple) -> Signal:
        """Gives each unit its part of a decoded descriptor, if it has one, through a queue; returns whether it does so
        in this cycle, which is when all of them have room.
        """
        queues = []
        for index, (command, concerned, fields_of) in enumerate(consumers):
            layout = command.payload.shape()
            m.submodules[f"commands_{index}"] = queue = fifo.SyncFIFO(width=layout.size, depth=COMMAND_QUEUE)
            part = data.View(layout, queue.w_data)
            m.d.comb += [part[name].eq(value) for name, value in fields_of(decoder.o.payload).items()]
            # Through a register in both directions: units look at a command's fields at the beginning of a cycle, and
            # that they are done with one comes late.
            m.submodules[f"commands_{index}_register"] = step = StreamRegister(layout)
            m.d.comb += [
                step.i.payload.as_value().eq(queue.r_data),
                step.i.valid.eq(queue.r_rdy),
                queue.r_en.eq(step.i.ready),
            ]
            connected(m, step.o, command)
            queues.append((queue, concerned))
        # In registers: between two descriptors there are more cycles than these take, and queues only get emptier.
        room, dispatched = Signal(len(queues)), Signal()
        m.d.sync += [
            *(room[index].eq(queue.w_rdy) for index, (queue, _) in enumerate(queues)),
            dispatched.eq(decoder.o.valid & room.all() & ~dispatched),
        ]
        m.d.comb += [
            decoder.o.ready.eq(dispatched),
            *(queue.w_en.eq(dispatched & concerned) for queue, concerned in queues),
        ]
        return dispatched

    def _same_fields(self, layout: data.StructLayout) -> object:
        """The fields of the descriptor, and the bits of its flags, that bear the names of the layout's."""
        flags = {flag.name.lower(): flag for flag in Flag}

        def fields_of(descriptor: data.View) -> dict:
            return {name: (descriptor.flags & flags[name]) != 0 if name in flags else getattr(descriptor, name)
                    for name in layout.members}
        return fields_of

    def _activation_command(self, descriptor: data.View) -> dict:
        return {
            "address": descriptor.input_address,
            "run_beats": descriptor.input_run_beats,
            "run_pitch": descriptor.input_run_pitch,
            "runs": descriptor.input_runs,
            "plane_pitch": descriptor.input_plane_pitch,
            "planes": descriptor.planes,
        }

    def _weight_command(self, descriptor: data.View) -> dict:
        """Each filter block is a run: its channel records, then its passes."""
        configuration = self.configuration
        pointwise, unfinished = ((descriptor.flags & flag) != 0 for flag in (Flag.POINTWISE, Flag.UNFINISHED))
        channel_blocks = descriptor.channel_blocks[:16]
        run_beats = (
            Mux(pointwise, times(channel_blocks, configuration.point_pass_beats),
                times(channel_blocks, configuration.pass_beats))
            + Mux(unfinished, 0, configuration.record_beats))
        return {
            "address": descriptor.weights_address,
            "run_beats": run_beats,
            "run_pitch": run_beats.shift_left(configuration.beat_bytes.bit_length() - 1),
            "runs": descriptor.filter_blocks,
            "plane_pitch": 0,
            "planes": 1,
        }


