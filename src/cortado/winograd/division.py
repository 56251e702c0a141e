"""Exact division of a number known modulo 2**width, by shifts and additions only.

A Winograd result arrives as scale * y modulo 2**width, with scale = 2**v2 * odd. The low v2 bits are zero, so a shift
removes the power of two and leaves odd * y modulo 2**(width - v2). Every odd number has an inverse there. With x = 2**a
and factors of odd of the form 1 + x or 1 - x, the geometric product

    1 / (1 + x) = (1 - x) (1 + x**2) (1 + x**4) (1 + x**8) ...    modulo 2**n

ends as soon as the power of x reaches 2**n, and multiplying by (1 +- 2**s) is one shift and one addition.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cortado.errors import ConfigurationError
from cortado.numerics.fixed_point import LARGEST_WIDTH, wrap


@dataclass(frozen=True)
class ShiftAdd:
    """One step on a register: value + sign * (value << shift), modulo the register's width."""

    shift: int
    sign: int


@dataclass(frozen=True)
class ExactDivision:
    """Division of a multiple of `divisor`, known modulo 2**width, by `divisor`.

    The quotient is known modulo 2**quotient_bits, quotient_bits = width - v2(divisor), and read as two's complement.

    Raises `ConfigurationError` for a divisor below 1, a width above 64 or without a bit left for the quotient, and a
    divisor whose odd part is no product of numbers 2**a + 1 and 2**a - 1.
    """

    divisor: int
    width: int

    def __post_init__(self) -> None:
        if self.divisor < 1:
            raise ConfigurationError(f"exact division: the divisor must be at least 1, not {self.divisor}")
        if not self.v2 < self.width <= LARGEST_WIDTH:
            raise ConfigurationError(f"exact division by {self.divisor}: width must be {self.v2 + 1} to "
                                     f"{LARGEST_WIDTH} bits, not {self.width}")
        odd_inverse_factors(self.odd)

    @property
    def v2(self) -> int:
        """The power of two in the divisor, removed by a right shift."""
        return (self.divisor & -self.divisor).bit_length() - 1

    @property
    def odd(self) -> int:
        """The odd part of the divisor."""
        return self.divisor >> self.v2

    @property
    def quotient_bits(self) -> int:
        """Width of the quotient."""
        return self.width - self.v2

    @property
    def inverse(self) -> int:
        """The number whose product with `odd` is 1 modulo 2**quotient_bits."""
        return pow(self.odd, -1, 1 << self.quotient_bits)

    @cached_property
    def steps(self) -> tuple[ShiftAdd, ...]:
        """Shifts and additions, in order, that multiply by `inverse` or, when `negate` is set, by its negative."""
        return tuple(step for factor in odd_inverse_factors(self.odd)
                     for step in _inverse_steps(factor, self.quotient_bits))

    @property
    def negate(self) -> bool:
        """Whether the steps leave the quotient negated: each factor 2**a - 1 is -(1 - 2**a)."""
        return sum(_is_below_power(factor) for factor in odd_inverse_factors(self.odd)) % 2 == 1

    def apply(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """The quotients of int64 `values`, whose bits from `width` up are ignored.

        The low v2 bits must be zero: anything else is no multiple of the divisor, hence a bug of the caller.
        """
        assert not (values & ((1 << self.v2) - 1)).any(), f"a value is no multiple of {1 << self.v2}"
        return wrap((values >> self.v2) * np.int64(_signed(self.inverse, self.quotient_bits)), self.quotient_bits)


def odd_inverse_factors(odd: int) -> tuple[int, ...]:
    """`odd` as a product of numbers 2**a + 1 and 2**a - 1, largest first: as few as possible, then the largest.

    9 = 2**3 + 1; 2025 = 15 * 15 * 9. The factor 1 has none. Fewer and larger factors take fewer additions.
    Raises `ConfigurationError` for an even number, one below 1, and one that is no such product.
    """
    if odd < 1 or odd % 2 == 0:
        raise ConfigurationError(f"exact division: the odd part must be odd and at least 1, not {odd}")
    factors = _fewest_factors(odd, odd)
    if factors is None:
        raise ConfigurationError(f"exact division: {odd} must be a product of numbers 2**a + 1 and 2**a - 1")
    return factors


def _fewest_factors(number: int, largest: int) -> tuple[int, ...] | None:
    if number == 1:
        return ()
    found: tuple[int, ...] | None = None
    for factor in _divisors_near_powers(number, largest):
        rest = _fewest_factors(number // factor, factor)
        if rest is not None and (found is None or 1 + len(rest) < len(found)):
            found = (factor, *rest)
    return found


def _divisors_near_powers(number: int, largest: int) -> list[int]:
    """The divisors 2**a + 1 and 2**a - 1 of `number`, at least 3 and at most `largest`, largest first."""
    near = {(1 << exponent) + sign for exponent in range(1, number.bit_length() + 1) for sign in (1, -1)}
    return sorted((factor for factor in near if 3 <= factor <= largest and number % factor == 0), reverse=True)


def _is_below_power(factor: int) -> bool:
    """Whether `factor` is taken as 2**a - 1; so is 3, which is both, since larger shifts need fewer steps."""
    return (factor + 1) & factor == 0


def _inverse_steps(factor: int, bits: int) -> list[ShiftAdd]:
    """The geometric product for 1 / (1 + 2**a) or 1 / (1 - 2**a) modulo 2**bits."""
    below = _is_below_power(factor)
    shift = factor.bit_length() if below else (factor - 1).bit_length() - 1
    steps = []
    sign = 1 if below else -1
    while shift < bits:
        steps.append(ShiftAdd(shift, sign))
        shift, sign = 2 * shift, 1
    return steps


def _signed(value: int, bits: int) -> int:
    """`value` below 2**bits read as two's complement."""
    return value - (value >> bits - 1 << bits)
