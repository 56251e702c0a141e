"""From descriptor words to checked fields."""

from __future__ import annotations

from functools import reduce
from operator import and_

from amaranth.hdl import Module, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from cortado.gateware.configuration import LARGEST_FILTER_BLOCKS, WinogradConfiguration
from cortado.gateware.descriptor import DESCRIPTOR_WORDS, FIELD_NAMES, MAGIC, ErrorCode, Flag

DESCRIPTOR_LAYOUT = data.StructLayout({name: unsigned(32) for name in FIELD_NAMES})


class DescriptorDecoder(wiring.Component):
    """Collects 32 words, checks them and passes the fields on; the first error stays until reset.

    After an error every further word is swallowed, so that the sender is never left waiting, and nothing is passed on.

    Members
    -------
    i : In(stream of 32-bit words)
    o : Out(stream of DESCRIPTOR_LAYOUT)
    error : Out(8)
        An `ErrorCode`.
    """

    def __init__(self, configuration: WinogradConfiguration) -> None:
        self._configuration = configuration
        super().__init__({
            "i": In(stream.Signature(unsigned(32))),
            "o": Out(stream.Signature(DESCRIPTOR_LAYOUT)),
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

        products = {name: Signal(32, name=name) for name in ("tiles", "plane_words", "block_words", "run_beats")}
        spare = words[DESCRIPTOR_LAYOUT.size:-32]
        in_range = Signal()
        m.d.comb += in_range.eq(reduce(and_, [*self._range_checks(fields, products), spare == 0]))

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
                    count.eq(0),
                    total.eq(0),
                ]
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
                m.next = "PASS"
                with m.If(~in_range):
                    m.d.sync += self.error.eq(ErrorCode.OUT_OF_RANGE)
                    m.next = "COLLECT"
            with m.State("PASS"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "COLLECT"
        return m

    def _range_checks(self, fields: data.View, products: dict[str, Value]) -> list[Value]:
        """Everything that keeps the units behind from waiting for ever or writing where they must not."""
        configuration = self._configuration
        edge, pixels_per_beat = configuration.m, configuration.beat_bytes // configuration.pc
        row_bytes = fields.tile_columns[:16] * (edge * configuration.pk)
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
            within("tile_columns", 1, configuration.block_columns),
            products["tiles"] <= configuration.tiles,
            within("channel_blocks", 1, configuration.channel_blocks(configuration.largest_channels)),
            within("filter_blocks", 1, LARGEST_FILTER_BLOCKS),
            within("plane_words", 1, configuration.buffer_words),
            within("row_words", 1, configuration.buffer_words),
            fields.row_words > fields.tile_columns[1:],
            fields.plane_words >= products["plane_words"],
            fields.buffer_base + products["block_words"] <= configuration.buffer_words,
            within("top_rows", 0, 2),
            within("left_columns", 0, 2),
            within("skip_columns", 0, pixels_per_beat - 1),
            within("input_rows", 1, 2**14),
            within("input_row_beats", 1, 2**14),
            within("input_columns", 1, 2**14),
            fields.top_rows + fields.input_rows <= fields.tile_rows * edge + 2,
            fields.left_columns + fields.input_columns <= fields.tile_columns * edge + 2,
            fields.skip_columns + fields.input_columns > (fields.input_row_beats - 1) * pixels_per_beat,
            fields.skip_columns + fields.input_columns <= fields.input_row_beats * pixels_per_beat,
            ((fields.input_runs == 1) & (fields.input_run_beats == products["run_beats"]))
            | ((fields.input_runs == fields.input_rows) & (fields.input_run_beats == fields.input_row_beats)),
            within("output_row_beats", 1, 2**14),
            output_bytes < row_bytes,
            ((fields.flags & Flag.JOINED_ROWS) == 0)
            | (fields.output_row_pitch
               == fields.output_row_beats[:16].shift_left((configuration.beat_bytes - 1).bit_length())),
            fields.output_rows <= fields.tile_rows * edge,
            fields.output_rows > (fields.tile_rows - 1) * edge,
        ]
