"""Requantisation against exact fractions and against the documented bits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cortado.errors import ConfigurationError
from cortado.numerics.fixed_point import FixedPoint
from cortado.numerics.interval import Interval
from cortado.numerics.requantize import LARGEST_SHIFT, PRODUCT_BITS, Requantize

SUMS = st.one_of(st.integers(-(2**32), 2**32 - 1), st.integers(-300, 300),
                 st.sampled_from([-(2**32), 2**32 - 1, -(2**31), 2**31 - 1]))
MULTIPLIERS = st.one_of(st.integers(0, 2**16 - 1), st.sampled_from([0, 1, 2**15, 2**16 - 1]))
SHIFTS = st.integers(0, LARGEST_SHIFT)


def requantised(total: int, multiplier: int, shift: int) -> int:
    # dtype given, so that NumPy does not pick a type by the value
    requantize = Requantize(multiplier=np.array([multiplier]), shift=np.array([shift]))
    return int(requantize.apply(np.array([[total]], dtype=np.int64))[0, 0])


def by_fraction(total: int, multiplier: int, shift: int) -> int:
    """The definition in words: Python rounds fractions half to even."""
    return min(max(round(Fraction(total * multiplier, 2**shift)), -128), 127)


def by_bits(total: int, multiplier: int, shift: int) -> int:
    """The definition in bits, as the gateware computes it."""
    product = total * multiplier
    quotient = product
    if shift > 0:
        quotient = (product + (2 ** (shift - 1) - 1) + (product >> shift & 1)) >> shift
    return min(max(quotient, -128), 127)


@settings(deadline=None)
@given(SUMS, MULTIPLIERS, SHIFTS)
@example(2**32 - 1, 2**16 - 1, 48)
@example(-(2**32), 2**16 - 1, 48)
@example(-(2**32), 2**15, 48)
def test_the_result_is_the_fraction_rounded_half_to_even(total: int, multiplier: int, shift: int) -> None:
    expected = by_fraction(total, multiplier, shift)
    assert by_bits(total, multiplier, shift) == expected
    assert requantised(total, multiplier, shift) == expected


@settings(deadline=None)
@given(st.integers(-140, 140), st.integers(1, 32), st.integers(-1, 1))
def test_ties_and_their_neighbours(quotient: int, shift: int, nudge: int) -> None:
    """total * 2**15 / 2**(shift + 15) is a half exactly, or one step of the sum beside it."""
    total = min(max((2 * quotient + 1 << shift - 1) + nudge, -(2**32)), 2**32 - 1)
    assert requantised(total, 2**15, shift + 15) == by_fraction(total, 2**15, shift + 15)


@pytest.mark.parametrize(("total", "result"), [(1, 0), (3, 2), (5, 2), (-1, 0), (-3, -2), (-5, -2), (255, 127),
                                               (253, 126), (-257, -128), (-255, -128), (2**32 - 1, 127)])
def test_a_half_as_a_table(total: int, result: int) -> None:
    assert requantised(total, 2**15, 16) == result


def test_the_product_needs_the_bits_it_is_given() -> None:
    extremes = [-(2**32) * (2**16 - 1), (2**32 - 1) * (2**16 - 1)]
    assert all(-(2 ** (PRODUCT_BITS - 1)) <= extreme < 2 ** (PRODUCT_BITS - 1) for extreme in extremes)
    assert extremes[0] < -(2 ** (PRODUCT_BITS - 2))


def test_every_channel_has_its_own_factor_on_the_axis_named() -> None:
    requantize = Requantize(multiplier=np.array([32768, 49152]), shift=np.array([15, 16]))
    sums = np.array([[[10, 20], [10, 20]]])
    assert requantize.apply(sums).tolist() == [[[10, 20], [8, 15]]]
    assert requantize.apply(sums[0], channel_axis=0).tolist() == [[10, 20], [8, 15]]
    assert requantize.apply(sums.astype(np.float64)).tolist() == [[[10, 20], [8, 15]]]
    assert requantize.apply(sums).dtype == np.int8


@settings(deadline=None)
@given(st.floats(2**-33, 65535, allow_nan=False))
def test_a_factor_is_met_within_half_of_its_last_bit(factor: float) -> None:
    requantize = Requantize.from_scale([factor])
    multiplier, shift = int(requantize.multiplier[0]), int(requantize.shift[0])
    assert 2**15 <= multiplier < 2**16
    assert abs(Fraction(multiplier, 2**shift) - Fraction(factor)) <= Fraction(factor) / 2**16
    assert requantize.real.tolist() == [multiplier / 2**shift]


@pytest.mark.parametrize(
    ("factor", "multiplier", "shift"),
    [
        (0.0, 0, 0),
        (0.5, 32768, 16),
        (1.0, 32768, 15),
        (0.75, 49152, 16),
        (1 - 2**-30, 32768, 15),  # rounds up to the next power of two
        (65535.0, 65535, 0),
        (65535.49, 65535, 0),
        (2.0**-33, 32768, 48),
        (2.0**-33 * (1 - 2**-30), 32768, 48),
        (2.0**-33 * (1 - 2**-15), 0, 0),
        (1e-300, 0, 0),
    ],
)
def test_factors_as_a_table(factor: float, multiplier: int, shift: int) -> None:
    requantize = Requantize.from_scale([factor])
    assert (int(requantize.multiplier[0]), int(requantize.shift[0])) == (multiplier, shift)


@pytest.mark.parametrize("total", [-(2**32), 2**32 - 1])
def test_a_factor_that_becomes_zero_could_not_have_moved_a_sum(total: int) -> None:
    assert round(Fraction(total) / 2**33) == 0


@pytest.mark.parametrize("factor", [-0.5, 65535.5, float("inf"), float("nan")])
def test_a_factor_outside_the_range_is_refused(factor: float) -> None:
    message = rf"^requantize: the factor of channel 1 must be at least 0 and below 65535\.5, not {factor}$"
    with pytest.raises(ConfigurationError, match=message):
        Requantize.from_scale([0.5, factor])


def test_factors_are_one_per_channel() -> None:
    message = r"^requantize: there must be one factor per channel, shape \(K,\), not shape \(1, 1\)$"
    with pytest.raises(ConfigurationError, match=message):
        Requantize.from_scale([[0.5]])


@pytest.mark.parametrize(
    ("multiplier", "shift", "message"),
    [
        ([65536], [0], r"the multiplier of channel 0 must be 0 to 65535, not 65536"),
        ([1, -1], [0, 0], r"the multiplier of channel 1 must be 0 to 65535, not -1"),
        ([1], [49], r"the shift of channel 0 must be 0 to 48, not 49"),
        ([1], [-1], r"the shift of channel 0 must be 0 to 48, not -1"),
        ([1, 2], [3], r"there must be one shift per multiplier, not 1 shifts for 2 multipliers"),
        ([0.5], [3], r"multiplier must be a list of whole numbers, one per channel, not float64 of shape \(1,\)"),
        ([1], 3, r"shift must be a list of whole numbers, one per channel, not int64 of shape \(\)"),
    ],
)
def test_registers_outside_their_range_are_refused(multiplier: list, shift: list, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^requantize: {message}$"):
        Requantize(multiplier=np.array(multiplier), shift=np.array(shift))


def test_sums_must_have_a_channel_per_multiplier() -> None:
    message = r"^requantize: axis 1 of the sums must have 2 channels, not shape \(1, 3, 4\)$"
    with pytest.raises(ConfigurationError, match=message):
        Requantize.from_scale([0.5, 0.5]).apply(np.zeros((1, 3, 4), np.int64))


def test_sums_must_fit_33_bits() -> None:
    message = r"^requantize: every sum must fit 33 bits, not 0 \.\. 4294967296$"
    with pytest.raises(ConfigurationError, match=message):
        Requantize.from_scale([0.5]).apply(np.array([[0], [2**32]]))


# The sums of the widest layers of int16: 131071 products of 2**30, and the bias.
WIDE_SUMS = Interval(-(2**30) * (2**17 - 1) - 2**31, 2**30 * (2**17 - 1) + 2**31 - 1)


@settings(deadline=None)
@given(st.one_of(st.integers(WIDE_SUMS.low, WIDE_SUMS.high), st.integers(-(2**38), 2**38),
                 st.sampled_from([WIDE_SUMS.low, WIDE_SUMS.high, 2**36, 2**36 - 1, -(2**36), -(2**36) - 1])),
       MULTIPLIERS, SHIFTS)
@example(WIDE_SUMS.high, 2**16 - 1, 48)
@example(WIDE_SUMS.low, 2**16 - 1, 48)
@example(WIDE_SUMS.high, 2**16 - 1, 0)
def test_wide_sums_down_to_int16(total: int, multiplier: int, shift: int) -> None:
    requantize = Requantize(multiplier=np.array([multiplier]), shift=np.array([shift]), result=FixedPoint(width=16),
                            sums=WIDE_SUMS)
    result = requantize.apply(np.array([[total]], dtype=np.int64))
    assert result.dtype == np.int16
    assert result.item() == min(max(round(Fraction(total * multiplier, 2**shift)), -(2**15)), 2**15 - 1)


@settings(deadline=None)
@given(st.integers(-40000, 40000), st.integers(1, 31), st.integers(-1, 1))
def test_ties_of_wide_sums_and_their_neighbours(quotient: int, shift: int, nudge: int) -> None:
    total = min(max((2 * quotient + 1 << shift - 1) + nudge, WIDE_SUMS.low), WIDE_SUMS.high)
    requantize = Requantize(multiplier=np.array([2**15]), shift=np.array([shift + 15]), result=FixedPoint(width=16),
                            sums=WIDE_SUMS)
    expected = min(max(round(Fraction(total, 2**shift)), -(2**15)), 2**15 - 1)
    assert requantize.apply(np.array([[total]], dtype=np.int64)).item() == expected
    # Beside a sum that integers must take, the same one by integers.
    both = np.array([[[total, 2**46]]], dtype=np.int64)
    assert requantize.apply(both)[0, 0, 0] == expected


@settings(deadline=None)
@given(st.floats(0, 2**-30, allow_nan=False))
def test_small_factors_of_wide_sums_are_met_within_half_of_the_last_bit(factor: float) -> None:
    requantize = Requantize.from_scale([factor], result=FixedPoint(width=16), sums=WIDE_SUMS)
    error = abs(Fraction(int(requantize.multiplier[0]), 2 ** int(requantize.shift[0])) - Fraction(factor))
    assert error <= max(Fraction(1, 2**49), Fraction(factor) / 2**16)


def test_sums_whose_products_pass_64_bits_are_refused() -> None:
    message = (r"^requantize: the sums times 16 bits must fit 64 bits, not 49-bit sums from -281474976710656 to "
               r"281474976710655$")
    with pytest.raises(ConfigurationError, match=message):
        Requantize(multiplier=np.array([1]), shift=np.array([0]), sums=Interval.signed(49))


def test_the_arrays_are_read_only_copies() -> None:
    multiplier = np.array([1, 2])
    requantize = Requantize(multiplier=multiplier, shift=np.array([0, 0]))
    multiplier[0] = 9
    assert requantize.multiplier.tolist() == [1, 2]
    assert not requantize.multiplier.flags.writeable
    assert not requantize.shift.flags.writeable
