"""Fixed-point formats against Python's own whole numbers and fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.errors import ConfigurationError
from cortado.numerics.fixed_point import FixedPoint, wrap

INT8 = FixedPoint(width=8)


@pytest.mark.parametrize(
    ("number_format", "low", "high", "dtype", "text"),
    [
        (FixedPoint(width=8), -128, 127, "int8", "int8"),
        (FixedPoint(width=16), -32768, 32767, "int16", "int16"),
        (FixedPoint(width=12), -2048, 2047, "int16", "int12"),
        (FixedPoint(width=34), -(2**33), 2**33 - 1, "int64", "int34"),
        (FixedPoint(width=16, signed=False), 0, 65535, "uint16", "uint16"),
    ],
)
def test_range_container_and_name(number_format: FixedPoint, low: int, high: int, dtype: str, text: str) -> None:
    assert (number_format.min, number_format.max) == (low, high)
    assert number_format.dtype == np.dtype(dtype)
    assert str(number_format) == text


@pytest.mark.parametrize(
    ("width", "signed", "message"),
    [
        (1, True, r"^format int1: the width must be 2 to 64 bits, not 1$"),
        (65, True, r"^format int65: the width must be 2 to 64 bits, not 65$"),
        (64, False, r"^format uint64: the width must be 2 to 63 bits, not 64$"),
    ],
)
def test_widths_outside_the_range_are_refused(width: int, signed: bool, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        FixedPoint(width=width, signed=signed)


def test_ties_round_to_the_even_neighbour() -> None:
    halves = np.array([0.5, 1.5, 2.5, -0.5, -1.5, -2.5])
    assert INT8.quantise(halves, 1.0).tolist() == [0, 2, 2, 0, -2, -2]


def test_values_beyond_the_range_saturate() -> None:
    assert INT8.quantise([127.5, 126.5, 1e30, 1e308, -128.5, -129.0, -1e30], 1.0).tolist() == [
        127, 126, 127, 127, -128, -128, -128]
    assert INT8.quantise([1e308, -1e308], 1e-308).tolist() == [127, -128]


@settings(deadline=None)
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1), st.floats(2**-10, 2**10))
def test_quantising_rounds_the_float64_quotient_half_to_even(values: list[float], scale: float) -> None:
    expected = [min(max(round(Fraction(value / scale)), -128), 127) for value in values]
    result = INT8.quantise(np.array(values, dtype=np.float32), scale)
    assert result.dtype == np.int8
    assert result.tolist() == expected


def test_a_scale_per_channel_broadcasts() -> None:
    values = np.array([[1.0, 2.0], [1.0, 2.0]])
    assert INT8.quantise(values, [[1.0], [0.5]]).tolist() == [[1, 2], [2, 4]]
    assert INT8.dequantise([[1, 2], [2, 4]], [[1.0], [0.5]]).tolist() == values.tolist()


def test_the_scale_maps_the_largest_magnitude_to_the_largest_number() -> None:
    scale = INT8.scale_for(3.5)
    assert scale == 3.5 / 127
    assert INT8.quantise([3.5, -3.5], scale).tolist() == [127, -127]
    assert INT8.scale_for(0.0) == 1.0
    assert INT8.scale_for(5e-324) == 1.0


@pytest.mark.parametrize("largest", [-1.0, float("nan"), float("inf")])
def test_a_magnitude_must_be_finite(largest: float) -> None:
    message = rf"^format int8: the largest magnitude must be finite and at least 0, not {largest}$"
    with pytest.raises(ConfigurationError, match=message):
        INT8.scale_for(largest)


@pytest.mark.parametrize("scale", [0.0, -0.25, float("nan"), float("inf")])
def test_a_scale_must_be_finite_and_positive(scale: float) -> None:
    message = rf"^format int8: every scale must be finite and above 0, not {scale}$"
    with pytest.raises(ConfigurationError, match=message):
        INT8.quantise([1.0], scale)
    with pytest.raises(ConfigurationError, match=message):
        INT8.dequantise([1], scale)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_must_be_finite(value: float) -> None:
    message = r"^format int8: every value must be finite; the tensor holds NaN or infinity$"
    with pytest.raises(ConfigurationError, match=message):
        INT8.quantise([0.0, value], 1.0)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, np.float32, np.float64])
def test_saturation_takes_every_type_of_whole_number(dtype: type) -> None:
    values = np.array([0, 5, 100, 127], dtype=dtype)
    assert FixedPoint(width=6).saturate(values).tolist() == [0, 5, 31, 31]
    assert FixedPoint(width=40).saturate(values).tolist() == [0, 5, 100, 127]


def test_saturation_reaches_both_ends_of_wide_formats() -> None:
    assert FixedPoint(width=32).saturate(np.float32([3e38, -3e38])).tolist() == [2**31 - 1, -(2**31)]
    assert FixedPoint(width=53).saturate(np.array([1e300, -1e300])).tolist() == [2**52 - 1, -(2**52)]
    assert FixedPoint(width=64).saturate(np.array([2**63 - 1, -(2**63)])).tolist() == [2**63 - 1, -(2**63)]


def test_floats_cannot_be_saturated_to_what_floats_do_not_hold() -> None:
    message = r"^format int54: above 53 bits the numbers to saturate must be integers, not float64$"
    with pytest.raises(ConfigurationError, match=message):
        FixedPoint(width=54).saturate(np.array([1.0]))


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(1, 64))
def test_wrapping_keeps_the_low_bits_as_twos_complement(value: int, width: int) -> None:
    kept = value % 2**width
    expected = kept - 2**width if kept >= 2 ** (width - 1) else kept
    assert wrap(np.array([value]), width).tolist() == [expected]


@pytest.mark.parametrize("width", [0, 65])
def test_wrapping_needs_a_register_of_a_legal_width(width: int) -> None:
    with pytest.raises(ConfigurationError, match=rf"^wrap: width must be 1 to 64 bits, not {width}$"):
        wrap(np.array([1]), width)
