"""The numbers that shape an engine."""

from __future__ import annotations

import dataclasses
import re
from itertools import product

import pytest

from cortado.errors import ConfigurationError
from cortado.gateware.configuration import LEGAL_FORMATS, LEGAL_RANGES, LEGAL_VALUES, WinogradConfiguration

# One legal value for each field that is not its default, and a configuration around it where it needs one.
OTHER_VALUES = {"m": 2, "pc": 8, "pk": 2, "beat_bits": 256, "largest_taps": 2304, "tiles": 100,
                "buffer_words": 1000, "block_columns": 20, "data_bits": 16, "leaky": 1, "pooling": 2,
                "elementwise_add": 1, "pooling_row_beats": 64}


@pytest.mark.parametrize(("name", "value", "legal"), [
    ("m", 3, "2, 4, 6"),
    ("m", 8, "2, 4, 6"),
    ("pc", 0, "1, 2, 4, 8, 16"),
    ("pc", 32, "1, 2, 4, 8, 16"),
    ("pk", 3, "1, 2, 4, 8, 16"),
    ("pk", True, "1, 2, 4, 8, 16"),
    ("data_bits", 12, "8, 16"),
    ("weight_bits", 32, "8, 16"),
    ("beat_bits", 32, "64, 128, 256, 512"),
    ("beat_bits", 1024, "64, 128, 256, 512"),
])
def test_a_value_off_the_list_is_refused(name: str, value: int, legal: str) -> None:
    with pytest.raises(ConfigurationError,
                       match=f"^engine configuration: {name} must be one of {legal}, not {value}$"):
        WinogradConfiguration(**{name: value})


@pytest.mark.parametrize(("name", "low", "high"), [
    ("largest_taps", 9, 131071), ("tiles", 4, 1024), ("buffer_words", 4, 16384), ("block_columns", 1, 256)])
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


@pytest.mark.parametrize("name", ["pc", "pk"])
def test_lanes_of_two_bytes_beyond_a_beat_are_refused(name: str) -> None:
    message = f"engine configuration: {name} must be at most the 4 16-bit numbers of a 64-bit beat, not 8"
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        WinogradConfiguration(**{"m": 2, name: 8, "beat_bits": 64, "data_bits": 16})
    assert getattr(WinogradConfiguration(**{"m": 2, name: 8, "beat_bits": 128, "data_bits": 16}), name) == 8


@pytest.mark.parametrize(("data_bits", "weight_bits", "m"), [(16, 8, 6), (16, 16, 6), (8, 16, 2), (8, 16, 4)])
def test_formats_the_multipliers_do_not_take_are_refused(data_bits: int, weight_bits: int, m: int) -> None:
    message = (f"engine configuration: data_bits and weight_bits must be 8 and 8 with m 2 or 4 or 6; 16 and 8 with m 2 "
               f"or 4; 16 and 16 with m 2 or 4; not {data_bits} and {weight_bits} with m {m}")
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        WinogradConfiguration(data_bits=data_bits, weight_bits=weight_bits, m=m)


@pytest.mark.parametrize("name", ["pooling", "elementwise_add"])
def test_maps_of_16_bits_are_neither_pooled_nor_added(name: str) -> None:
    message = (f"engine configuration: {name} must be 0 where data_bits is 16, not 1; maps of 8 bits are pooled and "
               f"added")
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        WinogradConfiguration(**{"data_bits": 16, name: 1})


# Maps, weights and m; bits of one factor and of the other (design.md 4): 25 x 18 is one DSP48E1, 27 x 18 one DSP48E2,
# 18 x 18 one MULT18X18D.
@pytest.mark.parametrize(("data_bits", "weight_bits", "m", "factors"), [
    (8, 8, 2, (10, 12)), (8, 8, 4, (15, 14)), (8, 8, 6, (20, 14)),
    (16, 8, 2, (18, 12)), (16, 8, 4, (23, 14)),
    (16, 16, 2, (18, 20)), (16, 16, 4, (23, 22)),
])
def test_factors_of_each_format(data_bits: int, weight_bits: int, m: int, factors: tuple[int, int]) -> None:
    configuration = WinogradConfiguration(data_bits=data_bits, weight_bits=weight_bits, m=m)
    assert (configuration.widths.v_bits, configuration.widths.u_bits) == factors
    one_dsp48 = min(factors) <= 18 and max(factors) <= 25
    assert one_dsp48 == ((data_bits, weight_bits, m) != (16, 16, 4))
    assert (max(factors) <= 18) == ((data_bits, weight_bits, m) in {(8, 8, 2), (8, 8, 4), (16, 8, 2)})


def test_limits_themselves_are_legal() -> None:
    # Weights of 16 bits are for maps of 16 bits.
    beside = {"weight_bits": {"data_bits": 16}}
    for name, values in LEGAL_VALUES.items():
        for value in values:
            configuration = WinogradConfiguration(**{"beat_bits": 128, name: value, **beside.get(name, {})})
            assert getattr(configuration, name) == value
    for name, limits in LEGAL_RANGES.items():
        for value in limits:
            assert getattr(WinogradConfiguration(**{"largest_taps": 36, name: value}), name) == value


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
    ({"m": 2, "pc": 2, "pk": 1, "beat_bits": 64, "data_bits": 16},
     {"pairs_per_step": 1, "pass_beats": 3, "points_per_step": 2, "point_pass_beats": 1, "input_pixel_bytes": 4,
      "output_pixel_bytes": 2, "block_column_step": 2, "sum_bits": 37}),
    ({"m": 4, "pc": 4, "pk": 4, "beat_bits": 128, "data_bits": 16, "weight_bits": 16},
     {"pairs_per_step": 1, "pass_beats": 18, "points_per_step": 8, "point_pass_beats": 2, "input_pixel_bytes": 8,
      "output_pixel_bytes": 8, "block_column_step": 1, "sum_bits": 45}),
])
def test_derived_numbers(fields: dict[str, int], expected: dict[str, int]) -> None:
    configuration = WinogradConfiguration(**fields)
    assert {name: getattr(configuration, name) for name in expected} == expected


def test_weights_keep_up_with_memory() -> None:
    """Pairs of nine weights transformed in a cycle are at least as many as arrive, and divide the pass."""
    for pc, pk, beat_bits, (data_bits, weight_bits) in product(
            LEGAL_VALUES["pc"], LEGAL_VALUES["pk"], LEGAL_VALUES["beat_bits"], LEGAL_FORMATS):
        if max(pc, pk) > beat_bits // data_bits:
            continue
        configuration = WinogradConfiguration(pc=pc, pk=pk, beat_bits=beat_bits, largest_taps=144,
                                              data_bits=data_bits, weight_bits=weight_bits)
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
    fields = {field.name for field in dataclasses.fields(WinogradConfiguration)}
    assert OTHER_VALUES.keys() == fields - {"weight_bits"}, "every field that can differ alone"
    wide = dataclasses.replace(configuration, data_bits=16)
    assert dataclasses.replace(wide, weight_bits=16).hash != wide.hash


def test_the_text_names_every_field() -> None:
    assert str(WinogradConfiguration(m=2)) == (
        "m=2, pc=4, pk=4, data_bits=8, weight_bits=8, beat_bits=128, largest_taps=4608, tiles=256, "
        "buffer_words=2048, block_columns=64, leaky=0, pooling=0, elementwise_add=0, pooling_row_beats=128")
