"""What the decoder checks of a block's descriptor."""

from __future__ import annotations

from amaranth.hdl import Mux, Value
from amaranth.lib import data

from cortado.gateware.configuration import LARGEST_FILTER_BLOCKS, LARGEST_STRIDE, WinogradConfiguration
from cortado.gateware.descriptor import Flag
from cortado.gateware.linear import times


class BlockChecks:
    """Everything that keeps the units behind from waiting for ever or writing where they must not.

    It takes four cycles: numbers, products of them, numbers again, comparisons. What a step gives by name the decoder
    keeps in registers, `kept` of the steps after it. A number that has no room in these registers, or in the bits of a
    field that are looked at, comes from a field that is out of its own range, and then that comparison fails.
    """

    def __init__(self, configuration: WinogradConfiguration, fields: data.View, loaded: Value) -> None:
        self._configuration, self._fields, self._loaded = configuration, fields, loaded
        self._flag = {flag: (fields.flags & flag) != 0 for flag in Flag}

    def prepared(self) -> dict[str, Value]:
        """Numbers of single fields."""
        configuration, fields = self._configuration, self._fields
        columns = fields.tile_columns[:16]
        return {
            "row_pairs": fields.tile_rows[1:16] + 1,
            "rows_high": times(fields.tile_rows[:16], configuration.m),
            "tiles_wide": times(columns, configuration.m),
            "points_wide": times(columns, configuration.point_pixels),
            "rows_down": fields.top_rows[:16] + fields.input_rows[:16],
            "groups_wide": times(fields.left_groups[:16], configuration.m),
            "columns_right": fields.left_columns[:16] + fields.input_columns[:16],
            "columns_before": (fields.input_columns[:16] - 1)[:16],
            "input_beats_before": (fields.input_row_beats[:16] - 1)[:16],
            "output_beats_before": (fields.output_row_beats[:16] - 1)[:16],
            "loaded_after": self._loaded + fields.planes[:16],
        }

    def products(self, kept: dict[str, Value]) -> dict[str, Value]:
        """Products."""
        fields = self._fields
        return {
            "tiles": fields.tile_rows[:16] * fields.tile_columns[:16],
            "least_plane_words": kept["row_pairs"] * fields.row_words[:16],
            "block_words": fields.channel_blocks[:16] * fields.plane_words[:16],
            "run_beats": fields.input_rows[:16] * fields.input_row_beats[:16],
            "steps": kept["columns_before"] * fields.column_step[:3],
        }

    def combined(self, kept: dict[str, Value]) -> dict[str, Value]:
        """Numbers of several fields."""
        configuration, fields = self._configuration, self._fields
        pointwise, tile_bits = self._flag[Flag.POINTWISE], configuration.tiles.bit_length()
        row_pixels = Mux(pointwise, kept["points_wide"], kept["tiles_wide"])
        return {
            "sums": kept["tiles"][:tile_bits] * fields.filter_blocks[:tile_bits],
            "row_bytes": row_pixels.shift_left(configuration.output_pixel_bytes.bit_length() - 1),
            "rows_padded": kept["rows_high"] + 2,
            "row_padded": Mux(pointwise, kept["points_wide"], kept["tiles_wide"] + 2),
            "columns_end": kept["groups_wide"] + kept["columns_right"],
            "last_pixel": kept["steps"] + fields.skip_columns[:16],
            "buffer_end": fields.buffer_base[:16] + kept["block_words"],
            "rows_before": (kept["rows_high"] - configuration.m)[:len(kept["rows_high"])],
        }

    def clauses(self, kept: dict[str, Value]) -> list[tuple[Value, ...]]:
        """Of each of these one comparison at least must hold."""
        configuration, fields, flag = self._configuration, self._fields, self._flag
        edge, pixels_per_beat = configuration.m, configuration.beat_bytes // configuration.input_pixel_bytes
        pointwise, planes_follow = flag[Flag.POINTWISE], flag[Flag.PLANES_FOLLOW]
        # Planes that are all padding read nothing; what the row would hold does not matter.
        padding = fields.input_rows == 0

        def within(name: str, low: int, high: int) -> Value:
            return inside(fields, name, low, high)

        by_run, by_row = fields.input_runs == 1, fields.input_runs == fields.input_rows
        run_is_all = fields.input_run_beats == kept["run_beats"]
        run_is_row = fields.input_run_beats == fields.input_row_beats
        whole = ~(flag[Flag.CONTINUES] | flag[Flag.UNFINISHED])
        return [
            *aligned(configuration, fields, (
                "input_address", "input_plane_pitch", "input_run_pitch", "weights_address", "output_address",
                "output_plane_pitch", "output_row_pitch")),
            (within("tile_rows", 1, configuration.tiles),),
            (within("tile_columns", 1, configuration.tiles),),
            (pointwise, within("tile_columns", 1, configuration.block_columns)),
            (kept["tiles"] <= configuration.tiles,),
            (within("channel_blocks", 1, configuration.buffer_words),),
            (within("planes", 1, configuration.buffer_words),),
            (~planes_follow, kept["loaded_after"] < fields.channel_blocks),
            (planes_follow, kept["loaded_after"] == fields.channel_blocks),
            (within("filter_blocks", 1, LARGEST_FILTER_BLOCKS),),
            # Sums that wait for other channels have words of their own for every filter block.
            (whole, within("filter_blocks", 1, configuration.tiles)),
            (whole, kept["sums"] <= configuration.tiles),
            (~(flag[Flag.LAST] & (flag[Flag.UNFINISHED] | planes_follow)),),
            *((~pointwise, getattr(fields, name) == value)
              for name, value in (("tile_rows", 1), ("top_rows", 0), ("output_rows", 1))),
            (within("plane_words", 1, configuration.buffer_words),),
            (within("row_words", 1, configuration.buffer_words),),
            (pointwise, fields.row_words > fields.tile_columns[1:]),
            (~pointwise, fields.plane_words >= fields.tile_columns),
            (pointwise, fields.plane_words >= kept["least_plane_words"]),
            (within("buffer_base", 0, configuration.buffer_words),),
            (kept["buffer_end"] <= configuration.buffer_words,),
            (within("top_rows", 0, 2**14),),
            (within("left_groups", 0, 2**12),),
            (within("left_columns", 0, edge - 1),),
            (within("skip_columns", 0, pixels_per_beat - 1),),
            (within("column_step", 1, LARGEST_STRIDE),),
            *((padding, *clause) for clause in (
                (within("input_rows", 1, 2**14),),
                (within("input_row_beats", 1, 2**14),),
                (within("input_columns", 1, 2**14),),
                (kept["rows_down"] <= kept["rows_padded"],),
                (kept["columns_end"] <= kept["row_padded"],),
                # The last pixel that counts is in the last beat.
                (kept["last_pixel"] >> (pixels_per_beat.bit_length() - 1) == kept["input_beats_before"],),
                # One run of all rows, or one for each row.
                (by_run, by_row), (by_run, run_is_row), (run_is_all, by_row), (run_is_all, run_is_row),
            )),
            (within("output_row_beats", 1, 2**14),),
            (kept["output_beats_before"].shift_left((configuration.beat_bytes - 1).bit_length()) < kept["row_bytes"],),
            (~flag[Flag.JOINED_ROWS],
             fields.output_row_pitch
             == fields.output_row_beats[:16].shift_left((configuration.beat_bytes - 1).bit_length())),
            (pointwise, fields.output_rows <= kept["rows_high"]),
            (pointwise, fields.output_rows > kept["rows_before"]),
            (fields.flags[max(Flag).bit_length():] == 0,),
        ]


def inside(fields: data.View, name: str, low: int, high: int) -> Value:
    """Whether a field is from `low` to `high`."""
    value = getattr(fields, name)
    return (value >= low) & (value <= high) if low else value <= high


def aligned(configuration: WinogradConfiguration, fields: data.View, names: tuple[str, ...]) -> list[tuple[Value]]:
    """For each of the fields the clause that it is a multiple of a beat's bytes."""
    return [(getattr(fields, name)[: (configuration.beat_bytes - 1).bit_length()] == 0,) for name in names]
