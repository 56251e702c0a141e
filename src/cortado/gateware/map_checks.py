"""What the decoder checks of a map job's descriptor."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_

from amaranth.hdl import Const, Value
from amaranth.lib import data

from cortado.gateware.configuration import MAX_POOLING, WinogradConfiguration
from cortado.gateware.descriptor import Flag
from cortado.gateware.map_descriptor import FACTOR_NAMES, MapFlag
from cortado.gateware.pooling_command import LARGEST_AVERAGE, OPEN_WINDOWS
from cortado.numerics.elementwise_add import LARGEST_ADD_SHIFT
from cortado.numerics.requantize import LARGEST_SHIFT, MULTIPLIER_BITS

# Rows, columns, windows and strides are below this: what the counters of the units hold.
LARGEST_SIDE = 2**14


def map_products(configuration: WinogradConfiguration, fields: data.View) -> dict[str, Value]:
    """The products the checks need, by name; the decoder keeps them in registers of 32 bits."""
    pixels = configuration.beat_bytes // configuration.pk
    output_row_beats = (fields.output_columns[:16] + (pixels - 1)) >> (pixels.bit_length() - 1)
    return {
        "map_run": fields.input_rows[:16] * fields.input_row_beats[:16],
        "map_output_run": fields.output_rows[:16] * output_row_beats[:16],
        "last_window_row": (fields.output_rows[:16] - 1)[:16] * fields.row_stride[:16],
        "last_window_column": (fields.output_columns[:16] - 1)[:16] * fields.column_stride[:16],
    }


def map_checks(configuration: WinogradConfiguration, fields: data.View, products: dict[str, Value]) -> Value:
    """Whether the job can be run: no unit waits for ever, or writes where it must not."""
    pool, add, average = ((fields.flags & flag) != 0 for flag in (MapFlag.POOL, MapFlag.ADD, MapFlag.AVERAGE))

    def within(name: str, low: int, high: int) -> Value:
        value = getattr(fields, name)
        return (value >= low) & (value <= high)

    aligned = [getattr(fields, name)[: (configuration.beat_bytes - 1).bit_length()] == 0 for name in (
        "first_address", "second_address", "plane_pitch", "output_address", "output_plane_pitch")]
    pixels = configuration.beat_bytes // configuration.pk
    spare_flags = fields.flags & (2**32 - 1 - sum(MapFlag) - int(Flag.LAST))
    checks = [*aligned, fields.run_beats != 0, pool ^ add, spare_flags == 0]
    pooling = [
        within("planes", 1, 2**16 - 1),
        within("input_rows", 1, LARGEST_SIDE),
        within("input_row_beats", 1, configuration.pooling_row_beats),
        within("input_columns", 1, LARGEST_SIDE),
        fields.input_columns <= fields.input_row_beats[:16].shift_left(pixels.bit_length() - 1),
        fields.run_beats == products["map_run"],
        fields.output_run_beats == products["map_output_run"],
        ~average | (within("kernel_rows", 1, LARGEST_AVERAGE) & within("kernel_columns", 1, LARGEST_AVERAGE)),
    ]
    for last_window, pad, lines, kernel, stride, windows in (
            ("last_window_row", "top_rows", "input_rows", "kernel_rows", "row_stride", "output_rows"),
            ("last_window_column", "left_columns", "input_columns", "kernel_columns", "column_stride",
             "output_columns")):
        end = getattr(fields, pad)[:16] + getattr(fields, lines)[:16]
        pooling += [
            within(kernel, 1, LARGEST_SIDE),
            within(stride, 1, LARGEST_SIDE),
            within(windows, 1, LARGEST_SIDE),
            getattr(fields, pad) < getattr(fields, kernel),
            # Windows that are open at once have a slot each.
            (getattr(fields, kernel) <= getattr(fields, stride)[:16] * OPEN_WINDOWS)
            | (getattr(fields, windows) <= OPEN_WINDOWS),
            # The last window begins within the map and ends not before it.
            products[last_window] < end,
            products[last_window] + getattr(fields, kernel)[:16] >= end,
        ]
    for name in FACTOR_NAMES:
        factor = getattr(fields, name)
        pooling.append(factor[MULTIPLIER_BITS:] <= LARGEST_SHIFT)
    adding = [
        fields.planes == 1,
        fields.output_run_beats == fields.run_beats,
        fields.shift <= LARGEST_ADD_SHIFT,
    ]

    kinds = []
    if configuration.pooling:
        averages = ~average if configuration.pooling == MAX_POOLING else Const(1)
        kinds.append(reduce(and_, [pool, averages, *pooling]))
    if configuration.elementwise_add:
        kinds.append(reduce(and_, [add, *adding]))
    return reduce(and_, [*checks, reduce(or_, kinds)])
