"""The Winograd overlay engine: every unit, wired."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.bias import Bias
from cortado.gateware.block_loader import BlockLoader, loader_command_layout
from cortado.gateware.channel_record import ChannelRecords
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.cycle_counters import COUNTERS_SIGNATURE, CycleCounters
from cortado.gateware.descriptor import ErrorCode, Flag
from cortado.gateware.descriptor_decoder import DescriptorDecoder
from cortado.gateware.input_transform import InputTransform
from cortado.gateware.inverse_transform import InverseTransform
from cortado.gateware.linear import times
from cortado.gateware.mac_array import MacArray
from cortado.gateware.relu import Relu
from cortado.gateware.requantize import Requantize
from cortado.gateware.row_buffer import RowBuffer, row_command_layout
from cortado.gateware.row_writer import RowWriter, writer_command_layout
from cortado.gateware.stream_reader import REQUEST_LAYOUT, StreamReader
from cortado.gateware.tile_buffer import TileBuffer, reader_command_layout
from cortado.gateware.weight_transform import WeightTransform
from cortado.gateware.weight_unpacker import WeightUnpacker, unpacker_command_layout

IDENTITY = 0x434F5254  # "CORT"

# Blocks decoded ahead of the one being written back. Small blocks pass in fewer cycles than the memory takes to answer,
# so several are under way at once.
COMMAND_QUEUE = 8


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
    """Runs jobs of 3 x 3 convolutions, stride 1, on (m + 2)**2 * pc * pk multipliers.

    Members
    -------
    descriptor : In(stream of 32-bit words)
        Descriptors of `gateware.descriptor`, one block each; the last of a job is flagged. The words of the next job
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
        m.submodules.relu = relu = Relu(configuration)
        m.submodules.rows = rows = RowBuffer(configuration)
        m.submodules.writer = writer = RowWriter(configuration)
        m.submodules.cycle_counters = cycle_counters = CycleCounters()

        for source, sink in (
            (activation_reader.request, wiring.flipped(self.activations_request)),
            (wiring.flipped(self.activations), activation_reader.i),
            (activation_reader.o, loader.i),
            (loader.o, tiles.i),
            (tiles.o, input_transform.i),
            (input_transform.o, mac_array.i),
            (weight_reader.request, wiring.flipped(self.weights_request)),
            (wiring.flipped(self.weights), weight_reader.i),
            (weight_reader.o, unpacker.i),
            (unpacker.o, weight_transform.i),
            (weight_transform.o, mac_array.i_weights),
            (mac_array.o, inverse_transform.i),
            (inverse_transform.o, records.i),
            (unpacker.records, records.i_records),
            (records.o, bias.i),
            (bias.o, requantize.i),
            (requantize.o, relu.i),
            (relu.o, rows.i),
            (rows.o, writer.i),
            (writer.request, wiring.flipped(self.results_request)),
            (writer.o, wiring.flipped(self.results)),
            (wiring.flipped(self.results_response), writer.response),
        ):
            wiring.connect(m, source, sink)
        m.d.comb += [tiles.begin.eq(loader.begin), loader.open_blocks.eq(tiles.open_blocks)]

        all_taken = self._commands(m, decoder, {
            activation_reader.command: self._activation_command,
            weight_reader.command: self._weight_command,
            loader.command: self._same_fields(loader_command_layout()),
            tiles.command: self._same_fields(reader_command_layout()),
            unpacker.command: self._same_fields(unpacker_command_layout()),
            rows.command: self._same_fields(row_command_layout()),
            writer.command: self._same_fields(writer_command_layout()),
        })

        # A job is open from its first word to the dispatch of its last descriptor; then its blocks run dry.
        job_open = Signal()
        blocks = Signal(range(COMMAND_QUEUE + 1))
        dispatched = Signal()
        # The next job waits for the end of this one: its first block may lie where this one's last is still read.
        takes_words = job_open | ~self.status.busy
        m.d.comb += [
            decoder.i.payload.eq(self.descriptor.payload),
            decoder.i.valid.eq(self.descriptor.valid & takes_words),
            self.descriptor.ready.eq(decoder.i.ready & takes_words),
        ]
        first_word = self.descriptor.valid & self.descriptor.ready & ~self.status.busy
        write_failed = Signal()
        m.d.comb += dispatched.eq(decoder.o.valid & all_taken)
        with m.If(decoder.error != ErrorCode.NONE):
            m.d.sync += job_open.eq(0)
        with m.Elif(dispatched & ((decoder.o.payload.flags & Flag.LAST) != 0)):
            m.d.sync += job_open.eq(0)
        with m.Elif(self.descriptor.valid & self.descriptor.ready):
            m.d.sync += job_open.eq(1)
        m.d.sync += blocks.eq(blocks + dispatched - writer.block_done)
        with m.If(writer.failed & (decoder.error == ErrorCode.NONE)):
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

    def _commands(self, m: Module, decoder: DescriptorDecoder, consumers: dict) -> Signal:
        """Gives each unit its part of a decoded descriptor through a queue; returns when all of them have room."""
        queues = []
        for index, (command, fields_of) in enumerate(consumers.items()):
            layout = command.payload.shape()
            m.submodules[f"commands_{index}"] = queue = fifo.SyncFIFO(width=layout.size, depth=COMMAND_QUEUE)
            part = data.View(layout, queue.w_data)
            m.d.comb += [part[name].eq(value) for name, value in fields_of(decoder.o.payload).items()]
            m.d.comb += [
                command.valid.eq(queue.r_rdy),
                command.payload.as_value().eq(queue.r_data),
                queue.r_en.eq(command.ready),
            ]
            queues.append(queue)
        all_taken = Signal()
        room = Signal(len(queues))
        m.d.comb += [
            *(room[index].eq(queue.w_rdy) for index, queue in enumerate(queues)),
            all_taken.eq(room.all()),
            decoder.o.ready.eq(all_taken),
            *(queue.w_en.eq(decoder.o.valid & all_taken) for queue in queues),
        ]
        return all_taken

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
            "planes": descriptor.channel_blocks,
        }

    def _weight_command(self, descriptor: data.View) -> dict:
        """Each filter block is a run: its channel records, then its passes."""
        configuration = self.configuration
        run_beats = times(descriptor.channel_blocks[:16], configuration.pass_beats) + configuration.record_beats
        return {
            "address": descriptor.weights_address,
            "run_beats": run_beats,
            "run_pitch": run_beats.shift_left(configuration.beat_bytes.bit_length() - 1),
            "runs": descriptor.filter_blocks,
            "plane_pitch": 0,
            "planes": 1,
        }


