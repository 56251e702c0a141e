"""Integer addition against exact fractions, and against the float sum."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cortado.errors import ConfigurationError, GraphError
from cortado.numerics.elementwise_add import LARGEST_ADD_SHIFT, TOTAL_BITS, IntegerAdd

NUMBERS = st.integers(-128, 127)
MULTIPLIERS = st.integers(-(2**15), 2**15 - 1) | st.sampled_from([-(2**15), 2**15 - 1, 2**14, 0, 1])


def added(addition: IntegerAdd, first: int, second: int) -> int:
    return int(addition.golden(np.array([[first]], np.int8), np.array([[second]], np.int8))[0, 0])


@given(st.tuples(MULTIPLIERS, MULTIPLIERS), st.integers(0, LARGEST_ADD_SHIFT), st.booleans(), NUMBERS, NUMBERS)
@example((-(2**15), -(2**15)), 24, False, -128, -128)
@example((2**15 - 1, -(2**15)), 0, False, 127, -128)
@example((2**14, 2**14), 15, False, 1, 2)
def test_the_result_is_the_fraction_rounded_half_to_even(
        multipliers: tuple[int, int], shift: int, relu: bool, first: int, second: int) -> None:
    total = first * multipliers[0] + second * multipliers[1]
    expected = min(max(round(Fraction(total, 2**shift)), 0 if relu else -128), 127)
    assert added(IntegerAdd(multipliers=multipliers, shift=shift, relu=relu), first, second) == expected


def test_the_total_needs_the_bits_it_is_given() -> None:
    largest = 2 * 128 * 2**15
    assert TOTAL_BITS == 25
    assert -(2 ** (TOTAL_BITS - 1)) <= largest < 2 ** (TOTAL_BITS - 1)
    assert largest >= 2 ** (TOTAL_BITS - 2)
    # The largest total is a half of one at the largest shift, and goes to zero.
    assert round(Fraction(largest, 2**LARGEST_ADD_SHIFT)) == 0


FACTORS = st.floats(-100, 100) | st.floats(-1e-6, 1e-6) | st.sampled_from([1.0, 0.5, 32767.0, -32767.49, 0.0, 1e-300])


@given(FACTORS, FACTORS)
@example(1 - 2**-30, 0.5)
@example(0.0, 0.0)
def test_factors_are_met_to_sixteen_bits(first: float, second: float) -> None:
    addition = IntegerAdd.from_scale((first, second))
    bound = max(max(abs(first), abs(second)) * 2**-15, 2.0**-25)
    for real, factor in zip(addition.real, (first, second), strict=True):
        assert abs(real - factor) <= bound


@given(st.tuples(st.floats(-4, 4), st.floats(-4, 4)), NUMBERS, NUMBERS)
def test_the_sum_is_near_the_float_one(factors: tuple[float, float], first: int, second: int) -> None:
    exact = min(max(first * factors[0] + second * factors[1], -128), 127)
    assert abs(added(IntegerAdd.from_scale(factors), first, second) - exact) <= 0.5 + 256 * 4 * 2**-15


def test_equal_scales_add_exactly_and_saturate() -> None:
    addition = IntegerAdd.from_scale((1, 1))
    first, second = (grid.astype(np.int8) for grid in np.meshgrid(np.arange(-128, 128), np.arange(-128, 128)))
    expected = np.clip(first.astype(int) + second, -128, 127)
    np.testing.assert_array_equal(addition.golden(first, second), expected)
    difference = IntegerAdd.from_scale((1, -1), relu=True)
    np.testing.assert_array_equal(difference.golden(first, second), np.clip(first.astype(int) - second, 0, 127))


@pytest.mark.parametrize(("fields", "message"), [
    ({"multipliers": (1, 2**15)}, "there must be two multipliers of -32768 to 32767, not (1, 32768)"),
    ({"multipliers": (1,)}, "there must be two multipliers of -32768 to 32767, not (1,)"),
    ({"shift": 25}, "shift must be 0 to 24, not 25"),
    ({"shift": -1}, "shift must be 0 to 24, not -1"),
])
def test_numbers_out_of_range_are_refused(fields: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(f'integer add: {message}')}$"):
        IntegerAdd(**{"multipliers": (1, 1), "shift": 0, **fields})


@pytest.mark.parametrize("factors", [(1.0, 32767.5), (float("nan"), 1.0), (1.0, float("-inf")), (1.0,)])
def test_factors_out_of_range_are_refused(factors: tuple[float, ...]) -> None:
    message = f"integer add: there must be two factors below 32767.5 in magnitude, not {factors}"
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        IntegerAdd.from_scale(factors)


def test_operands_that_differ_are_refused() -> None:
    addition = IntegerAdd(multipliers=(1, 1), shift=0)
    message = "integer add: the operands must be int8 of one shape, not int8 of shape (2,) and int8 of shape (3,)"
    with pytest.raises(GraphError, match=f"^{re.escape(message)}$"):
        addition.golden(np.zeros(2, np.int8), np.zeros(3, np.int8))
    with pytest.raises(GraphError, match=r"not int8 of .* and float64"):
        addition.golden(np.zeros(2, np.int8), np.zeros(2))
