"""From descriptor words to checked fields."""

from __future__ import annotations

from functools import reduce
from operator import and_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.block_checks import BlockChecks
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, FIELD_NAMES, MAGIC, ErrorCode, Flag
from cortado.gateware.map_checks import MapChecks
from cortado.gateware.map_descriptor import MAP_DESCRIPTOR_LAYOUT, MapFlag

DESCRIPTOR_LAYOUT = data.StructLayout({name: unsigned(32) for name in FIELD_NAMES})

# From a descriptor's last word to its offer, or to the error.
CHECK_CYCLES = 8

# The same in all descriptors that load planes of one block.
BLOCK_FIELDS = ("channel_blocks", "tile_rows", "tile_columns", "buffer_base", "plane_words", "row_words")


class DescriptorDecoder(wiring.Component):
    """Collects 32 words, checks them and passes the fields on; the first error stays until reset.

    After an error every further word is swallowed, so that the sender is never left waiting, and nothing is passed on.
    `CHECK_CYCLES` after its last word a descriptor is passed on.

    Members
    -------
    i : In(stream of 32-bit words)
    o : Out(stream of DESCRIPTOR_LAYOUT)
        Blocks.
    o_map : Out(stream of MAP_DESCRIPTOR_LAYOUT)
        Map jobs, where the configuration has units for them.
    error : Out(8)
        An `ErrorCode`.
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(unsigned(32))),
            "o": Out(stream.Signature(DESCRIPTOR_LAYOUT)),
            **({"o_map": Out(stream.Signature(MAP_DESCRIPTOR_LAYOUT))} if configuration.map_units else {}),
            "error": Out(8),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        words = Signal(32 * DESCRIPTOR_WORDS, reset_less=True)
        # The place of the next word, and the word that came in the cycle before: what enables the bits of all words
        # begins at a register.
        place = Signal(range(DESCRIPTOR_WORDS))
        arrived = Signal()
        word = Signal(32, reset_less=True)
        total = Signal(32)
        fields = data.View(DESCRIPTOR_LAYOUT, words[: DESCRIPTOR_LAYOUT.size])
        m.d.comb += self.o.payload.as_value().eq(fields.as_value())
        m.d.sync += [arrived.eq(0), word.eq(self.i.payload)]
        with m.If(arrived):
            m.d.sync += [words.eq(Cat(words[32:], word)), total.eq(total + word)]

        # Planes that earlier descriptors of the same block load.
        loaded = Signal(17)
        # The descriptor before this one leaves a block, or its sums, to be finished.
        in_block = Signal()
        # What the descriptors of a job, and those that load one block, must have in common.
        in_job = Signal()
        is_pointwise = Signal()
        block = {name: Signal(16, name=f"block_{name}") for name in BLOCK_FIELDS}
        pointwise = (fields.flags & Flag.POINTWISE) != 0
        checks = [BlockChecks(self._configuration, fields, loaded)]
        also = [[
            (~in_job, pointwise == is_pointwise),
            *((loaded == 0, getattr(fields, name) == block[name]) for name in BLOCK_FIELDS),
            (words[DESCRIPTOR_LAYOUT.size:-32] == 0,),
        ]]
        is_map = Const(0)
        if self._configuration.map_units:
            map_fields = data.View(MAP_DESCRIPTOR_LAYOUT, words[: MAP_DESCRIPTOR_LAYOUT.size])
            m.d.comb += self.o_map.payload.as_value().eq(map_fields.as_value())
            is_map = (map_fields.flags & (MapFlag.POOL | MapFlag.ADD)) != 0
            checks.append(MapChecks(self._configuration, map_fields))
            # Not between the descriptors of one block, or of its sums.
            also.append([(~in_block,), (words[MAP_DESCRIPTOR_LAYOUT.size:-32] == 0,)])

        # The registers of the numbers that the checks need, by name, for each of them.
        kept = [{} for _ in checks]

        def keep(given: list[dict[str, Value]]) -> None:
            for registers, numbers in zip(kept, given, strict=True):
                for name, value in numbers.items():
                    registers[name] = Signal(value.shape(), name=name, reset_less=True)
                    m.d.sync += registers[name].eq(value)

        has_magic = Signal()
        adds_up = Signal()
        is_built_for = Signal()
        in_range = Signal()
        holds = []
        with m.FSM():
            with m.State("COLLECT"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid & (self.error == ErrorCode.NONE)):
                    m.d.sync += [arrived.eq(1), place.eq(place + 1)]
                    with m.If(place == DESCRIPTOR_WORDS - 1):
                        m.next = "ARRIVE"
            with m.State("ARRIVE"):
                m.next = "PREPARE"
            with m.State("PREPARE"):
                m.d.sync += [
                    has_magic.eq(fields.magic == MAGIC),
                    adds_up.eq(total == 0),
                    is_built_for.eq(fields.configuration == int(self._configuration.hash[-8:], 16)),
                    total.eq(0),
                ]
                keep([check.prepared() for check in checks])
                m.next = "MULTIPLY"
            with m.State("MULTIPLY"):
                keep([check.products(numbers) for check, numbers in zip(checks, kept, strict=True)])
                m.next = "COMBINE"
            with m.State("COMBINE"):
                keep([check.combined(numbers) for check, numbers in zip(checks, kept, strict=True)])
                m.next = "COMPARE"
            with m.State("COMPARE"):
                # Every comparison has a register of its own; the next cycle asks whether all that is needed hold.
                for index, (check, numbers, others) in enumerate(zip(checks, kept, also, strict=True)):
                    clauses = [Cat(*clause) for clause in (*check.clauses(numbers), *others)]
                    holds.append([Signal(len(clause), name=f"holds_{index}_{number}")
                                  for number, clause in enumerate(clauses)])
                    m.d.sync += [held.eq(clause) for held, clause in zip(holds[-1], clauses, strict=True)]
                m.next = "GATHER"
            with m.State("GATHER"):
                every = [reduce(and_, [held.any() for held in some]) for some in holds]
                m.d.sync += in_range.eq(Mux(is_map, every[-1], every[0]))
                m.next = "JUDGE"
            with m.State("JUDGE"):
                m.next = "COLLECT"
                with m.If(~has_magic):
                    m.d.sync += self.error.eq(ErrorCode.BAD_MAGIC)
                with m.Elif(~adds_up):
                    m.d.sync += self.error.eq(ErrorCode.BAD_CHECKSUM)
                with m.Elif(~is_built_for):
                    m.d.sync += self.error.eq(ErrorCode.WRONG_CONFIGURATION)
                with m.Elif(~in_range):
                    m.d.sync += self.error.eq(ErrorCode.OUT_OF_RANGE)
                with m.Else():
                    m.next = "PASS"
            with m.State("PASS"):
                m.d.comb += self.o.valid.eq(~is_map)
                if self._configuration.map_units:
                    m.d.comb += self.o_map.valid.eq(is_map)
                    with m.If(is_map & self.o_map.ready):
                        m.d.sync += in_job.eq(in_job & ((fields.flags & Flag.LAST) == 0))
                        m.next = "COLLECT"
                with m.If(~is_map & self.o.ready):
                    m.d.sync += in_block.eq((fields.flags & (Flag.PLANES_FOLLOW | Flag.UNFINISHED)) != 0)
                    m.d.sync += [
                        loaded.eq(Mux((fields.flags & Flag.PLANES_FOLLOW) != 0, kept[0]["loaded_after"], 0)),
                        in_job.eq((fields.flags & Flag.LAST) == 0),
                        is_pointwise.eq(pointwise),
                        *(block[name].eq(getattr(fields, name)) for name in BLOCK_FIELDS),
                    ]
                    m.next = "COLLECT"
        return m
