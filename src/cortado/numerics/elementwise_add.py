"""The int8 sum of two maps that every rung of the ladder below `reference` must equal to the bit.

For numbers a and b of one place, whole multipliers A and B and a shift n:

    p = a * A + b * B                              exact: 25 bits, two's complement
    y = round_half_even(p / 2**n), saturated to int8, then max(0, y) where ReLU is asked for
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortado.errors import ConfigurationError, GraphError
from cortado.numerics.fixed_point import FixedPoint
from cortado.numerics.interval import Interval

OPERAND = RESULT = FixedPoint(width=8)
FACTOR_BITS = 16
TOTAL_BITS = (OPERAND.interval * Interval.signed(FACTOR_BITS) + OPERAND.interval * Interval.signed(FACTOR_BITS)).bits
# No total is above 2**23 in magnitude, so a shift beyond this one rounds every total to 0, as this one does.
LARGEST_ADD_SHIFT = TOTAL_BITS - 1


@dataclass(frozen=True, kw_only=True)
class IntegerAdd:
    """The sum of two int8 arrays of one shape, each with its multiplier (int16), and a shift (0 .. 24) for both.

    Raises `ConfigurationError` for a multiplier or shift outside its range.
    """

    multipliers: tuple[int, int]
    shift: int
    relu: bool = False

    def __post_init__(self) -> None:
        legal = Interval.signed(FACTOR_BITS)
        if len(self.multipliers) != 2 or not all(legal.low <= value <= legal.high for value in self.multipliers):
            raise ConfigurationError(f"integer add: there must be two multipliers of {legal.low} to {legal.high}, "
                                     f"not {self.multipliers}")
        if not 0 <= self.shift <= LARGEST_ADD_SHIFT:
            raise ConfigurationError(f"integer add: shift must be 0 to {LARGEST_ADD_SHIFT}, not {self.shift}")

    @classmethod
    def from_scale(cls, real: tuple[float, float], *, relu: bool = False) -> IntegerAdd:
        """The nearest multipliers for real factors: what one step of each operand is worth in steps of the result.

        A factor may be negative (a difference). The larger one uses all of its bits, so each is off by at most 2**-15
        of the larger.

        Raises `ConfigurationError` for factors that are not finite or that reach 32767.5.
        """
        factors = np.asarray(real, np.float64)
        limit = 2 ** (FACTOR_BITS - 1) - 0.5
        if factors.shape != (2,) or not (np.isfinite(factors).all() and (np.abs(factors) < limit).all()):
            raise ConfigurationError(f"integer add: there must be two factors below {limit} in magnitude, not {real}")
        _, exponent = np.frexp(np.abs(factors).max())
        shift = min(FACTOR_BITS - 1 - int(exponent), LARGEST_ADD_SHIFT)
        multipliers = np.rint(np.ldexp(factors, shift))
        if np.abs(multipliers).max() == 2 ** (FACTOR_BITS - 1):  # the larger one rounded up to a bit more
            shift -= 1
            multipliers = np.rint(np.ldexp(factors, shift))
        return cls(multipliers=(int(multipliers[0]), int(multipliers[1])), shift=shift, relu=relu)

    @property
    def real(self) -> tuple[float, float]:
        """The factors these stand for, exactly: `multipliers / 2**shift`."""
        first, second = (multiplier / 2**self.shift for multiplier in self.multipliers)
        return first, second

    def golden(self, first: NDArray[np.int8], second: NDArray[np.int8]) -> NDArray[np.int8]:
        """The sum, int8. Raises `GraphError` for operands of another type or of different shapes."""
        if first.dtype != np.int8 or second.dtype != np.int8 or first.shape != second.shape:
            raise GraphError(f"integer add: the operands must be int8 of one shape, not {first.dtype} of shape "
                             f"{first.shape} and {second.dtype} of shape {second.shape}")
        # float32 holds every whole number up to 2**24, and a power of two only moves the exponent: rint is exact.
        totals = (first.astype(np.float32) * np.float32(self.multipliers[0])
                  + second.astype(np.float32) * np.float32(self.multipliers[1]))
        results = RESULT.saturate(np.rint(np.ldexp(totals, -self.shift)))
        return np.maximum(results, 0) if self.relu else results
