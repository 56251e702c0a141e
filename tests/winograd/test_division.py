"""Exact division against Python's whole numbers, by the inverse and by the shifts and additions of the hardware."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.errors import ConfigurationError
from cortado.winograd.division import ExactDivision, ShiftAdd, odd_inverse_factors

DIVISORS = [1, 3, 4, 5, 7, 9, 36, 45, 49, 576, 129600]


def by_steps(division: ExactDivision, value: int) -> int:
    """What the hardware does to a register of `width` bits, in two's complement."""
    modulus = 2**division.quotient_bits
    register = (value >> division.v2) % modulus
    for step in division.steps:
        register = (register + step.sign * (register << step.shift)) % modulus
    if division.negate:
        register = -register % modulus
    return register - modulus if register >= modulus // 2 else register


@settings(deadline=None)
@given(st.sampled_from(DIVISORS), st.integers(8, 64), st.data())
def test_the_quotient_survives_wrapping(divisor: int, width: int, data: st.DataObject) -> None:
    division = ExactDivision(divisor, width)
    half = 2 ** (division.quotient_bits - 1)
    quotient = data.draw(st.one_of(st.integers(-half, half - 1), st.sampled_from([-half, half - 1, 0, -1])))
    kept = quotient * divisor % 2**width
    register = kept - 2**width if kept >= 2 ** (width - 1) else kept
    assert division.apply(np.array([register])).tolist() == [quotient]
    assert by_steps(division, register) == quotient


@pytest.mark.parametrize("divisor", DIVISORS)
def test_a_quotient_one_bit_too_wide_is_lost(divisor: int) -> None:
    division = ExactDivision(divisor, 20)
    half = 2 ** (division.quotient_bits - 1)
    # Read as two's complement, the first number above the range is the lowest in it.
    assert division.apply(np.array([half * divisor])).tolist() == [-half]


@pytest.mark.parametrize("width", [7, 12, 34, 64])
@pytest.mark.parametrize("divisor", DIVISORS)
def test_the_inverse_times_the_odd_part_is_one(divisor: int, width: int) -> None:
    division = ExactDivision(divisor, width)
    assert division.inverse * division.odd % 2**division.quotient_bits == 1 % 2**division.quotient_bits


def test_division_by_nine_in_28_bits_is_four_additions() -> None:
    division = ExactDivision(576, 34)
    assert (division.v2, division.odd, division.quotient_bits) == (6, 9, 28)
    assert division.steps == (ShiftAdd(3, -1), ShiftAdd(6, 1), ShiftAdd(12, 1), ShiftAdd(24, 1))
    assert not division.negate


def test_division_by_2025_in_28_bits_is_ten_additions() -> None:
    division = ExactDivision(129600, 34)
    assert (division.v2, division.odd) == (6, 2025)
    fifteen = (ShiftAdd(4, 1), ShiftAdd(8, 1), ShiftAdd(16, 1))
    assert division.steps == (*fifteen, *fifteen, ShiftAdd(3, -1), ShiftAdd(6, 1), ShiftAdd(12, 1), ShiftAdd(24, 1))
    assert not division.negate


def test_a_power_of_two_needs_only_the_shift() -> None:
    division = ExactDivision(4, 30)
    assert division.steps == ()
    assert division.apply(np.array([-8, 12])).tolist() == [-2, 3]


@pytest.mark.parametrize(
    ("odd", "factors"),
    [(1, ()), (3, (3,)), (9, (9,)), (21, (7, 3)), (25, (5, 5)), (27, (9, 3)), (45, (15, 3)), (2025, (15, 15, 9)),
     (11 * 3, (33,))],
)
def test_factors_as_a_table(odd: int, factors: tuple[int, ...]) -> None:
    assert odd_inverse_factors(odd) == factors


def test_factors_are_the_fewest() -> None:
    """Compared with every product of up to four numbers 2**a + 1 and 2**a - 1."""
    near = sorted({2**a + sign for a in range(1, 9) for sign in (1, -1)} - {1})
    fewest: dict[int, int] = {}
    for count in range(5):
        for choice in combinations_with_replacement(near, count):
            fewest.setdefault(prod(choice), count)
    for odd in (odd for odd in fewest if odd < 256):
        factors = odd_inverse_factors(odd)
        assert prod(factors) == odd
        assert set(factors) <= set(near)
        assert len(factors) == fewest[odd]


@pytest.mark.parametrize("odd", [0, -3, 4])
def test_only_odd_numbers_have_an_inverse(odd: int) -> None:
    message = rf"^exact division: the odd part must be odd and at least 1, not {odd}$"
    with pytest.raises(ConfigurationError, match=message):
        odd_inverse_factors(odd)


def test_a_number_without_such_factors_is_refused() -> None:
    message = r"^exact division: 11 must be a product of numbers 2\*\*a \+ 1 and 2\*\*a - 1$"
    with pytest.raises(ConfigurationError, match=message):
        odd_inverse_factors(11)
    with pytest.raises(ConfigurationError, match=message):
        ExactDivision(22, 20)


@pytest.mark.parametrize(
    ("divisor", "width", "message"),
    [
        (0, 8, r"exact division: the divisor must be at least 1, not 0"),
        (576, 6, r"exact division by 576: width must be 7 to 64 bits, not 6"),
        (576, 65, r"exact division by 576: width must be 7 to 64 bits, not 65"),
    ],
)
def test_registers_that_cannot_hold_the_quotient_are_refused(divisor: int, width: int, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{message}$"):
        ExactDivision(divisor, width)


def test_a_value_that_is_no_multiple_is_a_bug() -> None:
    with pytest.raises(AssertionError, match=r"^a value is no multiple of 64"):
        ExactDivision(576, 34).apply(np.array([576, 577]))
