"""The job descriptor: one table that both the driver's encoder and the engine's decoder read.

A descriptor is 32 little-endian words of 32 bits and describes one block of tiles of one layer; a job is a list of
them, the last one flagged. All addresses are bytes, aligned to a beat.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag

import numpy as np

from cortado.errors import DeviceError

DESCRIPTOR_WORDS = 32
DESCRIPTOR_BYTES = 4 * DESCRIPTOR_WORDS
MAGIC = 0x314E4957  # "WIN1" in memory order


class Flag(IntFlag):
    """Bits of the `flags` word."""

    LAST = 1
    """The job ends with this block."""
    EXCLUSIVE = 2
    """The block uses memory of the block before it: its input is fetched when that one has been read for good."""
    JOINED_ROWS = 4
    """Output rows follow each other in memory without a gap: the rows of one row of tiles are written as one run."""


class ErrorCode(IntEnum):
    """What the engine's error register says; 0 is no error, the first error stays until reset."""

    NONE = 0
    BAD_MAGIC = 1
    WRONG_CONFIGURATION = 2
    BAD_CHECKSUM = 3
    OUT_OF_RANGE = 4
    WRITE_FAILED = 5


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """One block of tiles; the field order is the word order. Fields not given by the caller are filled by `encode`."""

    magic: int = MAGIC
    configuration: int = 0
    """Low 32 bits of the configuration hash."""
    flags: int = 0
    input_address: int
    """First beat of the first image row the block needs, in channel block 0."""
    input_plane_pitch: int
    """Bytes from one channel block to the next."""
    input_run_pitch: int
    """Bytes from one run of beats to the next."""
    input_runs: int
    """Runs of consecutive beats in a plane: 1 where the rows are contiguous, else one for each row."""
    input_run_beats: int
    input_rows: int
    """Image rows the block reads."""
    input_row_beats: int
    """Beats of each such row."""
    top_rows: int
    """Zero rows above them (padding)."""
    left_columns: int
    """Zero pixels left of each row (padding)."""
    skip_columns: int
    """Pixels of each row's first beat that are left of the block."""
    input_columns: int
    """Pixels of each row the block reads."""
    tile_rows: int
    tile_columns: int
    channel_blocks: int
    filter_blocks: int
    buffer_base: int
    """First word in the block buffer."""
    plane_words: int
    """Words of a channel block in each memory of the block buffer."""
    row_words: int
    """Words of a row of tiles in each memory of the block buffer."""
    weights_address: int
    """Channel records and kernels of the first filter block; the others follow."""
    output_address: int
    """Beat of the block's first output pixel, in filter block 0."""
    output_plane_pitch: int
    output_row_pitch: int
    output_rows: int
    """Rows of the block that exist in the output."""
    output_row_beats: int
    """Beats of each such row."""

    def encode(self, configuration_hash: str) -> np.ndarray:
        """The 32 words, uint32, with the configuration and the checksum filled in; the words sum to 0 modulo 2**32.

        Raises `DeviceError` for a field that is no unsigned 32-bit number.
        """
        words = np.zeros(DESCRIPTOR_WORDS, np.uint64)
        for index, name in enumerate(FIELD_NAMES):
            value = int(configuration_hash[-8:], 16) if name == "configuration" else getattr(self, name)
            if not 0 <= value < 2**32:
                raise DeviceError(f"job descriptor: {name} must be an unsigned 32-bit number, not {value}")
            words[index] = value
        words[-1] = (-int(words.sum())) % 2**32
        return words.astype("<u4")


FIELD_NAMES = tuple(field.name for field in fields(Descriptor))
assert len(FIELD_NAMES) < DESCRIPTOR_WORDS, "the last word is the checksum"
