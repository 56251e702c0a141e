"""What the decoder checks of a map job's descriptor."""

from __future__ import annotations

from amaranth.hdl import Value
from amaranth.lib import data

from cortado.gateware.block_checks import aligned, inside
from cortado.gateware.configuration import MAX_POOLING, WinogradConfiguration
from cortado.gateware.descriptor import Flag
from cortado.gateware.map_descriptor import FACTOR_NAMES, MapFlag
from cortado.gateware.pooling_command import LARGEST_AVERAGE, OPEN_WINDOWS
from cortado.numerics.elementwise_add import LARGEST_ADD_SHIFT
from cortado.numerics.requantize import LARGEST_SHIFT, MULTIPLIER_BITS

# Rows, columns, windows and strides are below this: what the counters of the units hold.
LARGEST_SIDE = 2**14

# The fields that say the same of rows and of columns.
SIDES = {
    "row": ("top_rows", "input_rows", "kernel_rows", "row_stride", "output_rows"),
    "column": ("left_columns", "input_columns", "kernel_columns", "column_stride", "output_columns"),
}


class MapChecks:
    """Whether the job can be run: no unit waits for ever, or writes where it must not.

    In the steps of `BlockChecks`.
    """

    def __init__(self, configuration: WinogradConfiguration, fields: data.View) -> None:
        self._configuration, self._fields = configuration, fields
        self._pixels = configuration.beat_bytes // configuration.pk

    def prepared(self) -> dict[str, Value]:
        """Numbers of single fields."""
        fields = self._fields
        numbers = {"map_output_row_beats":
                   ((fields.output_columns[:16] + (self._pixels - 1)) >> (self._pixels.bit_length() - 1))[:16]}
        for side, (pad, lines, _, stride, windows) in SIDES.items():
            numbers |= {
                f"{side}_map_end": getattr(fields, pad)[:16] + getattr(fields, lines)[:16],
                f"{side}_windows_before": (getattr(fields, windows)[:16] - 1)[:16],
                f"{side}_open": getattr(fields, stride)[:16] * OPEN_WINDOWS,
            }
        return numbers

    def products(self, kept: dict[str, Value]) -> dict[str, Value]:
        """Products."""
        fields = self._fields
        return {
            "map_run": fields.input_rows[:16] * fields.input_row_beats[:16],
            "map_output_run": fields.output_rows[:16] * kept["map_output_row_beats"],
            **{f"last_{side}_window": kept[f"{side}_windows_before"] * getattr(fields, stride)[:16]
               for side, (_, _, _, stride, _) in SIDES.items()},
        }

    def combined(self, kept: dict[str, Value]) -> dict[str, Value]:
        """Numbers of several fields."""
        return {f"{side}_windows_end": kept[f"last_{side}_window"] + getattr(self._fields, kernel)[:16]
                for side, (_, _, kernel, _, _) in SIDES.items()}

    def clauses(self, kept: dict[str, Value]) -> list[tuple[Value, ...]]:
        """Of each of these one comparison at least must hold."""
        configuration, fields, pixels = self._configuration, self._fields, self._pixels
        pool, add, average = ((fields.flags & flag) != 0 for flag in (MapFlag.POOL, MapFlag.ADD, MapFlag.AVERAGE))

        def within(name: str, low: int, high: int) -> Value:
            return inside(fields, name, low, high)

        spare_flags = fields.flags & (2**32 - 1 - sum(MapFlag) - int(Flag.LAST))
        clauses = [
            *aligned(configuration, fields, (
                "first_address", "second_address", "plane_pitch", "output_address", "output_plane_pitch")),
            (fields.run_beats != 0,),
            (pool ^ add,),
            (spare_flags == 0,),
        ]
        pooling = [
            (within("planes", 1, 2**16 - 1),),
            (within("input_row_beats", 1, configuration.pooling_row_beats),),
            (fields.input_columns <= fields.input_row_beats[:16].shift_left(pixels.bit_length() - 1),),
            (fields.run_beats == kept["map_run"],),
            (fields.output_run_beats == kept["map_output_run"],),
            *((factor[MULTIPLIER_BITS:] <= LARGEST_SHIFT,)
              for factor in (getattr(fields, name) for name in FACTOR_NAMES)),
        ]
        for side, (pad, lines, kernel, stride, windows) in SIDES.items():
            pooling += [
                *((within(name, 1, LARGEST_SIDE),) for name in (lines, kernel, stride, windows)),
                (~average, within(kernel, 1, LARGEST_AVERAGE)),
                (getattr(fields, pad) < getattr(fields, kernel),),
                # Windows that are open at once have a slot each.
                (getattr(fields, kernel) <= kept[f"{side}_open"], getattr(fields, windows) <= OPEN_WINDOWS),
                # The last window begins within the map and ends not before it.
                (kept[f"last_{side}_window"] < kept[f"{side}_map_end"],),
                (kept[f"{side}_windows_end"] >= kept[f"{side}_map_end"],),
            ]
        adding = [
            (fields.planes == 1,),
            (fields.output_run_beats == fields.run_beats,),
            (fields.shift <= LARGEST_ADD_SHIFT,),
        ]
        if configuration.pooling == MAX_POOLING:
            pooling.append((~average,))
        clauses += [(~pool, *clause) for clause in pooling] if configuration.pooling else [(~pool,)]
        clauses += [(~add, *clause) for clause in adding] if configuration.elementwise_add else [(~add,)]
        return clauses
