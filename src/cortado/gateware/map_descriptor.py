"""The descriptor of a map job: pooling, or the addition of two maps, from memory to memory.

It has the words of a block's descriptor, with the same magic, configuration, flags and checksum in the same places;
what lies between has a meaning of its own. All addresses are bytes, aligned to a beat.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntFlag

import numpy as np
from amaranth.hdl import unsigned
from amaranth.lib import data

from cortado.gateware.descriptor import DESCRIPTOR_WORDS, MAGIC, encode_words


class MapFlag(IntFlag):
    """Bits of the `flags` word beside `Flag.LAST`; a descriptor with none of them is a block's."""

    POOL = 1 << 16
    """Pooling of the first operand."""
    ADD = 1 << 17
    """The sum of both operands."""
    AVERAGE = 1 << 18
    """The windows are averaged; without it the largest number wins."""
    RELU = 1 << 19
    """Negative sums become 0."""


@dataclass(frozen=True, kw_only=True)
class MapDescriptor:
    """One map job; the field order is the word order. What a job does not use is 0."""

    magic: int = MAGIC
    configuration: int = 0
    """Low 32 bits of the configuration hash."""
    flags: int = 0
    first_address: int
    second_address: int = 0
    plane_pitch: int = 0
    """Bytes from one plane of the operand to the next."""
    planes: int = 1
    """Blocks of channels of all images; 1 for an addition, which sees one run."""
    run_beats: int
    """Beats of a plane: all rows that are read."""
    output_address: int
    output_plane_pitch: int = 0
    output_run_beats: int
    """Beats of a plane of the output."""
    input_rows: int = 0
    """Rows of a plane that are read."""
    input_row_beats: int = 0
    input_columns: int = 0
    """Pixels of each row that lie in a window or before one."""
    top_rows: int = 0
    """Padding rows ahead of the map."""
    left_columns: int = 0
    kernel_rows: int = 0
    kernel_columns: int = 0
    row_stride: int = 0
    column_stride: int = 0
    output_rows: int = 0
    output_columns: int = 0
    factor: int = 0
    """Of windows of all rows and columns: multiplier in the low 16 bits, shift above. 1 where nothing is averaged."""
    factor_last_column: int = 0
    factor_last_row: int = 0
    factor_corner: int = 0
    multipliers: int = 0
    """Of the first operand in the low 16 bits, of the second in the high ones; both two's complement."""
    shift: int = 0
    """Of the sum."""

    def encode(self, configuration_hash: str) -> np.ndarray:
        """The 32 words, uint32, as `descriptor.encode_words` makes them."""
        return encode_words(self, configuration_hash)


MAP_FIELD_NAMES = tuple(field.name for field in fields(MapDescriptor))
MAP_DESCRIPTOR_LAYOUT = data.StructLayout({name: unsigned(32) for name in MAP_FIELD_NAMES})
assert len(MAP_FIELD_NAMES) < DESCRIPTOR_WORDS, "the last word is the checksum"

FACTOR_NAMES = ("factor", "factor_last_column", "factor_last_row", "factor_corner")
