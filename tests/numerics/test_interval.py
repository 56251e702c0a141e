"""Ranges of whole numbers and the bits that hold them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.errors import ConfigurationError
from cortado.numerics.interval import Interval, bits_for

SMALL = st.tuples(st.integers(-9, 9), st.integers(-9, 9)).map(lambda bounds: Interval(min(bounds), max(bounds)))


def members(interval: Interval) -> range:
    return range(interval.low, interval.high + 1)


@pytest.mark.parametrize(
    ("low", "high", "bits"),
    [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-2, 1, 2), (-128, 127, 8), (-129, 0, 9), (0, 128, 9), (-5, -3, 4),
     (-(2**63), 2**63 - 1, 64), (0, 2**63, 65)],
)
def test_bits_hold_both_bounds_and_one_bit_less_does_not(low: int, high: int, bits: int) -> None:
    assert bits_for(low, high) == bits
    assert Interval(low, high).bits == bits


def test_signed_and_unsigned_ranges() -> None:
    assert Interval.signed(8) == Interval(-128, 127)
    assert Interval.unsigned(16) == Interval(0, 65535)


@settings(deadline=None)
@given(SMALL, SMALL)
def test_sums_and_products_are_the_exact_range_over_all_pairs(left: Interval, right: Interval) -> None:
    sums = [a + b for a, b in product(members(left), members(right))]
    products = [a * b for a, b in product(members(left), members(right))]
    assert left + right == Interval(min(sums), max(sums))
    assert left * right == Interval(min(products), max(products))


@settings(deadline=None)
@given(SMALL, st.integers(-5, 5))
def test_a_product_with_a_number(interval: Interval, factor: int) -> None:
    products = [factor * member for member in members(interval)]
    assert interval * factor == Interval(min(products), max(products))


def test_a_weighted_sum_gives_every_term_an_operand_of_its_own() -> None:
    assert Interval.weighted_sum([4, 0, -5], Interval(-128, 127)) == Interval(4 * -128 - 5 * 127, 4 * 127 + 5 * 128)
    assert Interval.weighted_sum([], Interval(-128, 127)) == Interval(0, 0)


def test_the_hull_holds_all() -> None:
    assert Interval.hull([Interval(2, 3), Interval(-7, -5), Interval(0, 1)]) == Interval(-7, 3)


def test_bounds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^interval: low must not be above high, not 3 \.\. 2$"):
        Interval(3, 2)
