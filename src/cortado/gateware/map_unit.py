"""The units of map jobs, with a writer of their own."""

from __future__ import annotations

from functools import reduce
from operator import and_

from amaranth.hdl import Const, Module, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import AVERAGE_POOLING, WinogradConfiguration
from cortado.gateware.elementwise_add import ElementwiseAdd
from cortado.gateware.map_descriptor import FACTOR_NAMES, MAP_DESCRIPTOR_LAYOUT, MAP_FIELD_NAMES, MapFlag
from cortado.gateware.pooling import Pooling
from cortado.gateware.stream_reader import COMMAND_LAYOUT, REQUEST_LAYOUT
from cortado.gateware.stream_writer import StreamWriter
from cortado.numerics.elementwise_add import FACTOR_BITS
from cortado.numerics.requantize import MULTIPLIER_BITS


class MapUnit(wiring.Component):
    """Runs map jobs, one descriptor at a time: operands come as beats, the result goes to memory.

    What the configuration leaves out is not there.

    Members
    -------
    command : In(stream of MAP_DESCRIPTOR_LAYOUT)
        Held by its sender until the last burst has been answered.
    first_command, second_command : Out(stream of COMMAND_LAYOUT)
        For the readers of the operands.
    i_first, i_second : In(stream of beats)
        The operands, as the readers deliver them.
    request : Out(stream of REQUEST_LAYOUT)
    o : Out(stream of beats)
    response : In(stream of 1 bit)
    failed : Out(1)
        High for each burst answered with an error.
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        beats = stream.Signature(unsigned(configuration.beat_bits))
        super().__init__({
            "command": In(stream.Signature(MAP_DESCRIPTOR_LAYOUT)),
            "first_command": Out(stream.Signature(COMMAND_LAYOUT)),
            "second_command": Out(stream.Signature(COMMAND_LAYOUT)),
            "i_first": In(beats),
            "i_second": In(beats),
            "request": Out(stream.Signature(REQUEST_LAYOUT)),
            "o": Out(beats),
            "response": In(stream.Signature(1)),
            "failed": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration, fields = self._configuration, self.command.payload
        m.submodules.writer = writer = StreamWriter(beat_bits=configuration.beat_bits)
        wiring.connect(m, writer.request, wiring.flipped(self.request))
        wiring.connect(m, writer.o, wiring.flipped(self.o))
        wiring.connect(m, wiring.flipped(self.response), writer.response)
        m.d.comb += [
            self.failed.eq(writer.failed),
            writer.command.payload.address.eq(fields.output_address),
            writer.command.payload.run_beats.eq(fields.output_run_beats),
            writer.command.payload.plane_pitch.eq(fields.output_plane_pitch),
            writer.command.payload.planes.eq(fields.planes),
        ]
        pool, add = ((fields.flags & flag) != 0 for flag in (MapFlag.POOL, MapFlag.ADD))
        m.d.comb += [
            *self._reader_command(self.first_command.payload, fields.first_address),
            *self._reader_command(self.second_command.payload, fields.second_address),
        ]
        commands = [(writer.command, Const(1)), (self.first_command, Const(1)), (self.second_command, add)]
        if configuration.pooling:
            m.submodules.pooling = pooling = Pooling(
                lanes=configuration.pk, beat_bits=configuration.beat_bits, row_beats=configuration.pooling_row_beats,
                average=configuration.pooling == AVERAGE_POOLING)
            m.d.comb += self._pooling_command(pooling.command.payload)
            commands.append((pooling.command, pool))
            self._connect(m, pool, [(self.i_first, pooling.i)], pooling.o, writer.i)
        if configuration.elementwise_add:
            m.submodules.addition = addition = ElementwiseAdd(beat_bits=configuration.beat_bits)
            command = addition.command.payload
            m.d.comb += [
                command.beats.eq(fields.run_beats),
                command.multipliers[0].eq(fields.multipliers[:FACTOR_BITS]),
                command.multipliers[1].eq(fields.multipliers[FACTOR_BITS:]),
                command.shift.eq(fields.shift),
                command.relu.eq((fields.flags & MapFlag.RELU) != 0),
            ]
            commands.append((addition.command, add))
            self._connect(m, add, [(self.i_first, addition.i_first), (self.i_second, addition.i_second)], addition.o,
                          writer.i)

        # Each part takes the command once; the job is over when they have and the memory has answered.
        finished = []
        for index, (command, wanted) in enumerate(commands):
            taken = Signal(name=f"taken_{index}")
            m.d.comb += command.valid.eq(self.command.valid & wanted & ~taken)
            with m.If(self.command.ready):
                m.d.sync += taken.eq(0)
            with m.Elif(command.valid & command.ready):
                m.d.sync += taken.eq(1)
            finished.append(taken | ~wanted)
        m.d.comb += self.command.ready.eq(reduce(and_, [self.command.valid, writer.idle, *finished]))
        return m

    def _reader_command(self, command: data.View, address: Value) -> list:
        fields = self.command.payload
        return [command.address.eq(address), command.run_beats.eq(fields.run_beats), command.runs.eq(1),
                command.plane_pitch.eq(fields.plane_pitch), command.planes.eq(fields.planes)]

    def _pooling_command(self, command: data.View) -> list:
        fields = self.command.payload
        factors = [getattr(fields, name) for name in FACTOR_NAMES]
        return [
            *(getattr(command, name).eq(getattr(fields, name)) for name in command.shape().members
              if name in MAP_FIELD_NAMES),
            command.average.eq((fields.flags & MapFlag.AVERAGE) != 0),
            *(command.factors[index].multiplier.eq(factor[:MULTIPLIER_BITS]) for index, factor in enumerate(factors)),
            *(command.factors[index].shift.eq(factor[MULTIPLIER_BITS:]) for index, factor in enumerate(factors)),
        ]

    @staticmethod
    def _connect(m: Module, selected: Value, operands: list, result: object, sink: object) -> None:
        """The streams of a unit, while a job of its kind runs."""
        for source, target in operands:
            m.d.comb += target.payload.eq(source.payload)
            with m.If(selected):
                m.d.comb += [target.valid.eq(source.valid), source.ready.eq(target.ready)]
        with m.If(selected):
            m.d.comb += [sink.payload.eq(result.payload), sink.valid.eq(result.valid), result.ready.eq(sink.ready)]
