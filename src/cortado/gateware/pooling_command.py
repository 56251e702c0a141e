"""What the pooling units need of a descriptor."""

from __future__ import annotations

from amaranth.hdl import unsigned
from amaranth.lib import data

from cortado.numerics.requantize import LARGEST_SHIFT, MULTIPLIER_BITS

# Windows that may be open at once along a side: 3 x 3, stride 1. Any window fits where a side has no more than these.
OPEN_WINDOWS = 3

# Most rows and columns of a window that is averaged: its sum fits 8 + 8 + 8 bits.
LARGEST_AVERAGE = 256

# Bits of a sum over the rows of a window, and over all of it.
ROW_SUM_BITS, WINDOW_SUM_BITS = 16, 24

# Places a window can have that make its size differ: see `numerics.pooling.IntegerPooling.requantize`.
WINDOW_SIZES = 4


def pooling_command_layout() -> data.StructLayout:
    """One job over `planes` maps of one size; the names are those of the map descriptor's fields.

    `top_rows` and `left_columns` count padding ahead of the map; behind it there is as much as the windows need.
    Without average every multiplier is 1 and every shift 0.
    """
    return data.StructLayout({
        "planes": unsigned(16),
        "input_rows": unsigned(16),
        "input_row_beats": unsigned(16),
        "input_columns": unsigned(16),
        "top_rows": unsigned(16),
        "left_columns": unsigned(16),
        "kernel_rows": unsigned(16),
        "kernel_columns": unsigned(16),
        "row_stride": unsigned(16),
        "column_stride": unsigned(16),
        "output_rows": unsigned(16),
        "output_columns": unsigned(16),
        "average": unsigned(1),
        "factors": data.ArrayLayout(factor_layout(), WINDOW_SIZES),
    })


def factor_layout() -> data.StructLayout:
    """A multiplier and a shift: what the sum of a window is multiplied by."""
    return data.StructLayout({"multiplier": unsigned(MULTIPLIER_BITS), "shift": range(LARGEST_SHIFT + 1)})
