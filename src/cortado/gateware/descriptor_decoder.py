"""From descriptor words to checked fields."""

from __future__ import annotations

from functools import reduce
from operator import and_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import LARGEST_FILTER_BLOCKS, LARGEST_STRIDE, WinogradConfiguration
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, FIELD_NAMES, MAGIC, ErrorCode, Flag
from cortado.gateware.linear import times
from cortado.gateware.map_checks import map_checks, map_products
from cortado.gateware.map_descriptor import MAP_DESCRIPTOR_LAYOUT, MapFlag

DESCRIPTOR_LAYOUT = data.StructLayout({name: unsigned(32) for name in FIELD_NAMES})


# The same in all descriptors that load planes of one block.
BLOCK_FIELDS = ("channel_blocks", "tile_rows", "tile_columns", "buffer_base", "plane_words", "row_words")


class DescriptorDecoder(wiring.Component):
    """Collects 32 words, checks them and passes the fields on; the first error stays until reset.

    After an error every further word is swallowed, so that the sender is never left waiting, and nothing is passed on.

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
        words = Signal(32 * DESCRIPTOR_WORDS)
        count = Signal(range(DESCRIPTOR_WORDS + 1))
        total = Signal(32)
        fields = data.View(DESCRIPTOR_LAYOUT, words[: DESCRIPTOR_LAYOUT.size])
        m.d.comb += [
            self.o.payload.as_value().eq(fields.as_value()),
        ]

        products = {name: Signal(32, name=name) for name in (
            "tiles", "plane_words", "block_words", "run_beats", "sums", "last_pixel")}
        # Planes that earlier descriptors of the same block load.
        loaded = Signal(17)
        # The descriptor before this one leaves a block, or its sums, to be finished.
        in_block = Signal()
        # What the descriptors of a job, and those that load one block, must have in common.
        in_job = Signal()
        is_pointwise = Signal()
        block = {name: Signal(16, name=f"block_{name}") for name in BLOCK_FIELDS}
        pointwise = (fields.flags & Flag.POINTWISE) != 0
        belongs = [
            ~in_job | (pointwise == is_pointwise),
            (loaded == 0) | reduce(and_, [getattr(fields, name) == block[name] for name in BLOCK_FIELDS]),
        ]
        spare = words[DESCRIPTOR_LAYOUT.size:-32]
        in_range = Signal()
        unknown = fields.flags[max(Flag).bit_length():] != 0
        # Each check has a register of its own; the next cycle asks whether all hold.
        checks = [*self._range_checks(fields, products, loaded), *belongs, spare == 0, ~unknown]
        holds = Signal(len(checks))
        m.d.sync += holds.eq(Cat(*checks))
        is_map = Const(0)
        if self._configuration.map_units:
            map_fields = data.View(MAP_DESCRIPTOR_LAYOUT, words[: MAP_DESCRIPTOR_LAYOUT.size])
            map_numbers = {name: Signal(32, name=name) for name in map_products(self._configuration, map_fields)}
            is_map = (map_fields.flags & (MapFlag.POOL | MapFlag.ADD)) != 0
            # Not between the descriptors of one block, or of its sums.
            maps_in_range = Signal()
            m.d.sync += maps_in_range.eq(map_checks(self._configuration, map_fields, map_numbers) & ~in_block
                                       & (words[MAP_DESCRIPTOR_LAYOUT.size:-32] == 0))
            m.d.comb += [
                self.o_map.payload.as_value().eq(map_fields.as_value()),
                in_range.eq(Mux(is_map, maps_in_range, holds.all())),
            ]
        else:
            m.d.comb += in_range.eq(holds.all())

        with m.FSM():
            with m.State("COLLECT"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid & (self.error == ErrorCode.NONE)):
                    m.d.sync += [
                        words.eq(words[32:]),
                        words[-32:].eq(self.i.payload),
                        total.eq(total + self.i.payload),
                        count.eq(count + 1),
                    ]
                    with m.If(count == DESCRIPTOR_WORDS - 1):
                        m.next = "MULTIPLY"
            with m.State("MULTIPLY"):
                m.d.sync += [
                    products["tiles"].eq(fields.tile_rows[:16] * fields.tile_columns[:16]),
                    products["plane_words"].eq((fields.tile_rows[1:16] + 1) * fields.row_words[:16]),
                    products["block_words"].eq(fields.channel_blocks[:16] * fields.plane_words[:16]),
                    products["run_beats"].eq(fields.input_rows[:16] * fields.input_row_beats[:16]),
                    products["sums"].eq(fields.tile_columns[:16] * fields.filter_blocks[:16]),
                    products["last_pixel"].eq(
                        (fields.input_columns[:16] - 1)[:16] * fields.column_step[:3] + fields.skip_columns[:16]),
                    count.eq(0),
                    total.eq(0),
                ]
                if self._configuration.map_units:
                    m.d.sync += [map_numbers[name].eq(value)
                                 for name, value in map_products(self._configuration, map_fields).items()]
                m.next = "CHECK"
                with m.If(fields.magic != MAGIC):
                    m.d.sync += self.error.eq(ErrorCode.BAD_MAGIC)
                    m.next = "COLLECT"
                with m.Elif(total != 0):
                    m.d.sync += self.error.eq(ErrorCode.BAD_CHECKSUM)
                    m.next = "COLLECT"
                with m.Elif(fields.configuration != int(self._configuration.hash[-8:], 16)):
                    m.d.sync += self.error.eq(ErrorCode.WRONG_CONFIGURATION)
                    m.next = "COLLECT"
            with m.State("CHECK"):
                m.next = "JUDGE"
            with m.State("JUDGE"):
                m.next = "PASS"
                with m.If(~in_range):
                    m.d.sync += self.error.eq(ErrorCode.OUT_OF_RANGE)
                    m.next = "COLLECT"
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
                        loaded.eq(Mux((fields.flags & Flag.PLANES_FOLLOW) != 0, loaded + fields.planes, 0)),
                        in_job.eq((fields.flags & Flag.LAST) == 0),
                        is_pointwise.eq(pointwise),
                        *(block[name].eq(getattr(fields, name)) for name in BLOCK_FIELDS),
                    ]
                    m.next = "COLLECT"
        return m

    def _range_checks(self, fields: data.View, products: dict[str, Value], loaded: Signal) -> list[Value]:
        """Everything that keeps the units behind from waiting for ever or writing where they must not."""
        configuration = self._configuration
        edge, pixels_per_beat = configuration.m, configuration.beat_bytes // configuration.input_pixel_bytes
        flag = {flag: (fields.flags & flag) != 0 for flag in Flag}
        pointwise, planes_follow = flag[Flag.POINTWISE], flag[Flag.PLANES_FOLLOW]
        columns = fields.tile_columns[:16]
        row_bytes = Mux(pointwise, times(columns, configuration.point_pixels * configuration.output_pixel_bytes),
                        times(columns, edge * configuration.output_pixel_bytes))
        row_pixels = Mux(pointwise, times(columns, configuration.point_pixels), times(columns, edge) + 2)
        output_bytes = (fields.output_row_beats[:16] - 1) * configuration.beat_bytes

        def within(name: str, low: int, high: int) -> Value:
            value = getattr(fields, name)
            return (value >= low) & (value <= high)

        aligned = [getattr(fields, name)[: (configuration.beat_bytes - 1).bit_length()] == 0 for name in (
            "input_address", "input_plane_pitch", "input_run_pitch", "weights_address", "output_address",
            "output_plane_pitch", "output_row_pitch")]
        return [
            *aligned,
            within("tile_rows", 1, configuration.tiles),
            within("tile_columns", 1, Mux(pointwise, configuration.tiles, configuration.block_columns)),
            products["tiles"] <= configuration.tiles,
            within("channel_blocks", 1, configuration.buffer_words),
            within("planes", 1, configuration.buffer_words),
            Mux(planes_follow, loaded + fields.planes[:16] < fields.channel_blocks,
                loaded + fields.planes[:16] == fields.channel_blocks),
            within("filter_blocks", 1, LARGEST_FILTER_BLOCKS),
            # Sums that wait for other channels have words of their own for every filter block.
            ~(flag[Flag.CONTINUES] | flag[Flag.UNFINISHED])
            | (within("filter_blocks", 1, configuration.tiles)
               & Mux(pointwise, products["sums"] <= configuration.tiles,
                     products["tiles"] * fields.filter_blocks[: configuration.tiles.bit_length()]
                     <= configuration.tiles)),
            ~(flag[Flag.LAST] & (flag[Flag.UNFINISHED] | planes_follow)),
            ~pointwise | ((fields.tile_rows == 1) & (fields.top_rows == 0) & (fields.output_rows == 1)),
            within("plane_words", 1, configuration.buffer_words),
            within("row_words", 1, configuration.buffer_words),
            pointwise | (fields.row_words > fields.tile_columns[1:]),
            Mux(pointwise, fields.plane_words >= fields.tile_columns, fields.plane_words >= products["plane_words"]),
            fields.buffer_base + products["block_words"] <= configuration.buffer_words,
            within("top_rows", 0, 2**14),
            within("left_groups", 0, 2**12),
            within("left_columns", 0, edge - 1),
            within("skip_columns", 0, pixels_per_beat - 1),
            within("column_step", 1, LARGEST_STRIDE),
            # Planes that are all padding read nothing; what the row would hold does not matter.
            (fields.input_rows == 0) | reduce(and_, [
                within("input_rows", 1, 2**14),
                within("input_row_beats", 1, 2**14),
                within("input_columns", 1, 2**14),
                fields.top_rows + fields.input_rows <= times(fields.tile_rows[:16], edge) + 2,
                times(fields.left_groups[:16], edge) + fields.left_columns + fields.input_columns <= row_pixels,
                products["last_pixel"] >= (fields.input_row_beats[:16] - 1) * pixels_per_beat,
                products["last_pixel"] < fields.input_row_beats[:16] * pixels_per_beat,
                ((fields.input_runs == 1) & (fields.input_run_beats == products["run_beats"]))
                | ((fields.input_runs == fields.input_rows) & (fields.input_run_beats == fields.input_row_beats)),
            ]),
            within("output_row_beats", 1, 2**14),
            output_bytes < row_bytes,
            ((fields.flags & Flag.JOINED_ROWS) == 0)
            | (fields.output_row_pitch
               == fields.output_row_beats[:16].shift_left((configuration.beat_bytes - 1).bit_length())),
            pointwise | (fields.output_rows <= times(fields.tile_rows[:16], edge)),
            pointwise | (fields.output_rows > times(fields.tile_rows[:16] - 1, edge)),
        ]
