"""The job descriptor's words."""

from __future__ import annotations

import dataclasses
import struct

import numpy as np
import pytest

from cortado.errors import DeviceError
from cortado.gateware.descriptor import DESCRIPTOR_BYTES, DESCRIPTOR_WORDS, MAGIC, Descriptor, ErrorCode, Flag

HASH = "0123456789abcdef"

# The order of the words is part of the engine's interface.
WORDS = (
    "magic", "configuration", "flags", "input_address", "input_plane_pitch", "input_run_pitch", "input_runs",
    "input_run_beats", "input_rows", "input_row_beats", "top_rows", "left_groups", "left_columns", "skip_columns",
    "column_step", "input_columns", "planes", "tile_rows", "tile_columns", "channel_blocks", "filter_blocks",
    "buffer_base", "plane_words", "row_words", "weights_address", "output_address", "output_plane_pitch",
    "output_row_pitch", "output_rows", "output_row_beats")
NUMBERED = {name: 100 + index for index, name in enumerate(WORDS) if name not in ("magic", "configuration")}


def test_words_stand_in_memory_as_the_table_says() -> None:
    packed = Descriptor(**NUMBERED).encode(HASH).tobytes()
    words = struct.unpack("<32I", packed)
    assert len(packed) == DESCRIPTOR_BYTES == 4 * DESCRIPTOR_WORDS
    assert packed[:4] == b"WIN1"
    assert words[1] == 0x89ABCDEF
    assert words[2:30] == tuple(range(102, 130))
    assert words[30] == 0
    assert sum(words) % 2**32 == 0


def test_checksum_of_an_example() -> None:
    zeros = Descriptor(**dict.fromkeys(NUMBERED, 0))
    # 2**32 - ("WIN1" + 0x89abcdef)
    assert zeros.encode(HASH)[31] == 2**32 - (MAGIC + 0x89ABCDEF)


def test_any_words_sum_to_zero(rng: np.random.Generator) -> None:
    for _ in range(50):
        values = {name: int(rng.integers(0, 2**32)) for name in NUMBERED}
        words = Descriptor(**values).encode(HASH)
        assert words.dtype == np.dtype("<u4")
        assert int(words.sum(dtype=np.uint64)) % 2**32 == 0
        assert words[2:30].tolist() == list(values.values())


@pytest.mark.parametrize("name", NUMBERED)
@pytest.mark.parametrize("value", [-1, 2**32])
def test_a_number_beyond_32_bits_is_refused(name: str, value: int) -> None:
    descriptor = dataclasses.replace(Descriptor(**NUMBERED), **{name: value})
    with pytest.raises(DeviceError, match=f"^job descriptor: {name} must be an unsigned 32-bit number, not {value}$"):
        descriptor.encode(HASH)


def test_codes_and_flags_are_fixed() -> None:
    assert {flag.name: flag.value for flag in Flag} == {
        "LAST": 1, "EXCLUSIVE": 2, "JOINED_ROWS": 4, "PLANES_FOLLOW": 8, "CONTINUES": 16, "UNFINISHED": 32,
        "POINTWISE": 64}
    assert {code.name: code.value for code in ErrorCode} == {
        "NONE": 0, "BAD_MAGIC": 1, "WRONG_CONFIGURATION": 2, "BAD_CHECKSUM": 3, "OUT_OF_RANGE": 4, "WRITE_FAILED": 5,
        "DESCRIPTOR_READ_FAILED": 6, "ACTIVATION_READ_FAILED": 7, "WEIGHT_READ_FAILED": 8, "BAD_LIST": 9, "ABORTED": 10,
        "LEFT_OVER": 11}
