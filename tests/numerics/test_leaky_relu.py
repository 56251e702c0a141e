"""The leaky rectifier against exact fractions and against the documented bits, for every number and slope."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from cortado.numerics.leaky_relu import leaky_relu, nearest_slope

NUMBERS = np.arange(-128, 128).astype(np.int8)


@pytest.mark.parametrize("slope", range(256))
def test_negative_numbers_are_rounded_half_to_even(slope: int) -> None:
    result = leaky_relu(NUMBERS, slope)
    assert result.dtype == np.int8
    assert result.tolist() == [y if y >= 0 else round(Fraction(y * slope, 256)) for y in NUMBERS.tolist()]


@pytest.mark.parametrize("slope", [1, 3, 127, 128, 129, 255])
def test_the_documented_bits_give_the_same(slope: int) -> None:
    for y, result in zip(NUMBERS.tolist(), leaky_relu(NUMBERS, slope).tolist(), strict=True):
        product = y * slope
        assert result == (y if y >= 0 else (product + 127 + (product >> 8 & 1)) >> 8)
        assert -(2**15) <= product


@pytest.mark.parametrize("slope", [0, 1, 26, 128, 255])
def test_int16_by_the_same_rule(slope: int) -> None:
    numbers = np.array([-32768, -32767, -129, -128, -127, -1, 0, 1, 32767], np.int16)
    result = leaky_relu(numbers, slope)
    assert result.dtype == np.int16
    assert result.tolist() == [y if y >= 0 else round(Fraction(y * slope, 256)) for y in numbers.tolist()]


def test_any_shape_and_memory_order() -> None:
    numbers = NUMBERS.reshape(2, 8, 16).swapaxes(0, 2)[::2]
    assert leaky_relu(numbers, 64).tolist() == [
        [[y if y >= 0 else round(y / 4) for y in row] for row in plane] for plane in numbers.tolist()]


@pytest.mark.parametrize(
    ("negative_slope", "slope"),
    [(0.0, 0), (0.1, 26), (0.01, 3), (0.001, 0), (0.25, 64), (255.4 / 256, 255), (255.6 / 256, None), (1.0, None),
     (-0.001, 0), (-0.1, None), (float("nan"), None), (float("inf"), None)],
)
def test_a_real_slope_becomes_the_nearest(negative_slope: float, slope: int | None) -> None:
    assert nearest_slope(negative_slope) == slope
    assert slope is None or abs(slope / 256 - negative_slope) <= 1 / 512
