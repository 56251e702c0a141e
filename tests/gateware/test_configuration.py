"""The numbers that shape an engine."""

from __future__ import annotations

import dataclasses
import re

import pytest

from cortado.errors import ConfigurationError
from cortado.gateware.configuration import LEGAL_RANGES, LEGAL_VALUES, WinogradConfiguration

# One legal value for each field that is not its default, and a configuration around it where it needs one.
OTHER_VALUES = {"m": 2, "pc": 8, "pk": 2, "beat_bits": 256, "largest_channels": 256, "tiles": 100,
                "buffer_words": 1000, "block_columns": 20}


@pytest.mark.parametrize(("name", "value", "legal"), [
    ("m", 3, "2, 4"),
    ("m", 6, "2, 4"),
    ("pc", 0, "1, 2, 4, 8, 16"),
    ("pc", 32, "1, 2, 4, 8, 16"),
    ("pk", 3, "1, 2, 4, 8, 16"),
    ("pk", True, "1, 2, 4, 8, 16"),
    ("data_bits", 16, "8"),
    ("weight_bits", 16, "8"),
    ("beat_bits", 32, "64, 128, 256, 512"),
    ("beat_bits", 1024, "64, 128, 256, 512"),
])
def test_a_value_off_the_list_is_refused(name: str, value: int, legal: str) -> None:
    with pytest.raises(ConfigurationError,
                       match=f"^engine configuration: {name} must be one of {legal}, not {value}$"):
        WinogradConfiguration(**{name: value})


@pytest.mark.parametrize(("name", "low", "high"), [
    ("largest_channels", 1, 4096), ("tiles", 4, 1024), ("buffer_words", 4, 16384), ("block_columns", 1, 256)])
def test_a_value_out_of_range_is_refused(name: str, low: int, high: int) -> None:
    for value in (low - 1, high + 1, 64.0, True):
        with pytest.raises(ConfigurationError,
                           match=f"^engine configuration: {name} must be from {low} to {high}, not {value}$"):
            WinogradConfiguration(**{name: value})


@pytest.mark.parametrize("name", ["pc", "pk"])
def test_lanes_beyond_a_beat_are_refused(name: str) -> None:
    message = f"engine configuration: {name} must be at most the 8 bytes of a 64-bit beat, not 16"
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        WinogradConfiguration(**{name: 16, "beat_bits": 64})


def test_a_buffer_that_holds_no_tile_is_refused() -> None:
    message = "engine configuration: buffer_words must be at least 128 to hold one tile of 512 channels, not 127"
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        WinogradConfiguration(buffer_words=127)
    assert WinogradConfiguration(buffer_words=128).channel_blocks(512) == 128


def test_limits_themselves_are_legal() -> None:
    for name, values in LEGAL_VALUES.items():
        for value in values:
            configuration = WinogradConfiguration(**{"beat_bits": 128, name: value})
            assert getattr(configuration, name) == value
    for name, limits in LEGAL_RANGES.items():
        for value in limits:
            around = {"largest_channels": 4, name: value}
            if value == 4096:
                around["buffer_words"] = 1024
            assert getattr(WinogradConfiguration(**around), name) == value


def test_names_that_are_no_fields_are_refused() -> None:
    with pytest.raises(TypeError, match=re.escape("got an unexpected keyword argument 'lanes'")):
        WinogradConfiguration(lanes=4)


@pytest.mark.parametrize(("fields", "expected"), [
    ({"m": 4, "pc": 4, "pk": 4, "beat_bits": 128},
     {"alpha": 6, "multipliers": 576, "beat_bytes": 16, "pairs_per_step": 2, "pass_beats": 9, "record_beats": 2,
      "block_column_step": 1}),
    ({"m": 2, "pc": 2, "pk": 1, "beat_bits": 64},
     {"alpha": 4, "multipliers": 32, "beat_bytes": 8, "pairs_per_step": 1, "pass_beats": 3, "record_beats": 1,
      "block_column_step": 4}),
    ({"m": 2, "pc": 1, "pk": 1, "beat_bits": 512},
     {"alpha": 4, "multipliers": 16, "beat_bytes": 64, "pairs_per_step": 1, "pass_beats": 1, "record_beats": 1,
      "block_column_step": 32}),
    ({"m": 4, "pc": 16, "pk": 16, "beat_bits": 512},
     {"alpha": 6, "multipliers": 9216, "beat_bytes": 64, "pairs_per_step": 8, "pass_beats": 36, "record_beats": 2,
      "block_column_step": 1}),
])
def test_derived_numbers(fields: dict[str, int], expected: dict[str, int]) -> None:
    configuration = WinogradConfiguration(**fields)
    assert {name: getattr(configuration, name) for name in expected} == expected


def test_weights_keep_up_with_memory() -> None:
    """Pairs of nine bytes transformed in a cycle are at least as many as arrive, and divide the pass."""
    for pc in LEGAL_VALUES["pc"]:
        for pk in LEGAL_VALUES["pk"]:
            for beat_bits in LEGAL_VALUES["beat_bits"]:
                if max(pc, pk) > beat_bits // 8:
                    continue
                configuration = WinogradConfiguration(pc=pc, pk=pk, beat_bits=beat_bits, largest_channels=16)
                steps = pc * pk / configuration.pairs_per_step
                assert steps == int(steps)
                assert steps <= configuration.pass_beats


def test_blocks_round_up() -> None:
    configuration = WinogradConfiguration(pc=4, pk=2)
    assert [configuration.channel_blocks(channels) for channels in (1, 4, 5, 512)] == [1, 1, 2, 128]
    assert [configuration.filter_blocks(filters) for filters in (1, 2, 3, 512)] == [1, 1, 2, 256]


def test_the_hash_names_the_configuration() -> None:
    configuration = WinogradConfiguration()
    assert re.fullmatch("[0-9a-f]{16}", configuration.hash)
    assert WinogradConfiguration().hash == configuration.hash
    others = [dataclasses.replace(configuration, **{name: value}) for name, value in OTHER_VALUES.items()]
    assert len({configuration.hash, *(other.hash for other in others)}) == 1 + len(OTHER_VALUES)
    legal = {field.name for field in dataclasses.fields(WinogradConfiguration)} - {"data_bits", "weight_bits"}
    assert OTHER_VALUES.keys() == legal, "every field that can differ"


def test_the_text_names_every_field() -> None:
    assert str(WinogradConfiguration(m=2)) == (
        "m=2, pc=4, pk=4, data_bits=8, weight_bits=8, beat_bits=128, largest_channels=512, tiles=256, "
        "buffer_words=2048, block_columns=64")
