"""The job descriptor: one table that both the driver's encoder and the engine's decoder read.

A descriptor is 32 little-endian words of 32 bits. It loads planes of a block (pc channels of a map, or of a stepped and
shifted view of it) and runs the block with its last planes; a job is a list of descriptors, the last one flagged. All
addresses are bytes, aligned to a beat.
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
    PLANES_FOLLOW = 8
    """Only loads planes of a block; the descriptors behind it load the others, and the last of them runs the block."""
    CONTINUES = 16
    """The accumulators hold the sums of the same tiles and filters over earlier channels."""
    UNFINISHED = 32
    """The sums stay in the accumulators for the descriptor that continues; no channel records are read."""
    POINTWISE = 64
    """A 1 x 1 convolution: no transforms, a tile is a run of pixels. The same in all descriptors of a job."""


class ErrorCode(IntEnum):
    """What the engine's error register says; 0 is no error, the first error of a job stays until the next one."""

    NONE = 0
    BAD_MAGIC = 1
    WRONG_CONFIGURATION = 2
    BAD_CHECKSUM = 3
    OUT_OF_RANGE = 4
    WRITE_FAILED = 5
    DESCRIPTOR_READ_FAILED = 6
    ACTIVATION_READ_FAILED = 7
    WEIGHT_READ_FAILED = 8
    BAD_LIST = 9
    ABORTED = 10
    LEFT_OVER = 11


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """One block of tiles, or planes of one; the field order is the word order.

    Fields not given by the caller are filled by `encode`.
    """

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
    """Image rows the planes read; 0 where they are all padding, and then nothing is read."""
    input_row_beats: int
    """Beats of each such row."""
    top_rows: int
    """Zero rows above them (padding)."""
    left_groups: int
    """Groups of m zero pixels left of each row (padding)."""
    left_columns: int
    """Zero pixels behind them, less than m."""
    skip_columns: int
    """Pixels of each row's first beat that are left of the block."""
    column_step: int
    """From one pixel that counts to the next: the horizontal stride."""
    input_columns: int
    """Pixels of each row that count."""
    planes: int
    """Planes this descriptor loads."""
    tile_rows: int
    tile_columns: int
    channel_blocks: int
    """Planes of the whole block: blocks of channels, times the views of a kernel larger than 3 x 3."""
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
        """The 32 words, uint32: see `encode_words`."""
        return encode_words(self, configuration_hash)


FIELD_NAMES = tuple(field.name for field in fields(Descriptor))
assert len(FIELD_NAMES) < DESCRIPTOR_WORDS, "the last word is the checksum"


def encode_words(descriptor: object, configuration_hash: str) -> np.ndarray:
    """The 32 words of a descriptor (a dataclass of whole numbers, the field order is the word order), uint32.

    The configuration and the checksum are filled in; the words sum to 0 modulo 2**32. Raises `DeviceError` for a field
    that is no unsigned 32-bit number.
    """
    words = np.zeros(DESCRIPTOR_WORDS, np.uint64)
    for index, field in enumerate(fields(descriptor)):
        name = field.name
        value = int(configuration_hash[-8:], 16) if name == "configuration" else getattr(descriptor, name)
        if not 0 <= value < 2**32:
            raise DeviceError(f"job descriptor: {name} must be an unsigned 32-bit number, not {value}")
        words[index] = value
    words[-1] = (-int(words.sum())) % 2**32
    return words.astype("<u4")
