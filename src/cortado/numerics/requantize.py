"""From a wide sum to int8: an integer multiplier and a right shift per output channel.

This is the definition the gateware follows. For one sum s of at most 33 bits, a multiplier M and a shift n:

    p = s * M                                      exact: 49 bits, two's complement
    q = p                                          when n = 0
    q = (p + (2**(n-1) - 1) + bit n of p) >> n     otherwise: 50 bits before the arithmetic shift
    y = min(max(q, -128), 127)

The added constant carries into bit n exactly when the fraction is above one half, or is one half and bit n, the last
bit that stays, is 1: q is p / 2**n rounded half to even.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cortado.errors import ConfigurationError
from cortado.numerics.fixed_point import FixedPoint
from cortado.numerics.interval import Interval

RESULT = FixedPoint(width=8)
MULTIPLIER_BITS = 16
# A 32-bit accumulator and a 32-bit bias add up to 33 bits.
SUM_BITS = 33
PRODUCT_BITS = (Interval.signed(SUM_BITS) * Interval.unsigned(MULTIPLIER_BITS)).bits  # p above: 49
# Sums stay within 2**32, so a real factor below 2**-33 rounds every one of them to 0 and needs no representation;
# 2**15 / 2**48 is 2**-33.
LARGEST_SHIFT = 48


@dataclass(frozen=True, kw_only=True, eq=False)
class Requantize:
    """One multiplier (uint16) and one right shift (uint8, 0 .. 48) per output channel, both of shape (K,).

    Stands for the real factors `multiplier / 2**shift`. Any multiplier is legal; `from_scale` makes them use all
    sixteen bits. The arrays are kept as read-only copies.

    Raises `ConfigurationError` for a multiplier or shift outside its range and for unequal lengths.
    """

    multiplier: NDArray[np.uint16]
    shift: NDArray[np.uint8]

    def __post_init__(self) -> None:
        multiplier = _whole_numbers("multiplier", self.multiplier, Interval.unsigned(MULTIPLIER_BITS), np.uint16)
        shift = _whole_numbers("shift", self.shift, Interval(0, LARGEST_SHIFT), np.uint8)
        if len(multiplier) != len(shift):
            raise ConfigurationError(f"requantize: there must be one shift per multiplier, not {len(shift)} shifts "
                                     f"for {len(multiplier)} multipliers")
        object.__setattr__(self, "multiplier", multiplier)
        object.__setattr__(self, "shift", shift)

    @classmethod
    def from_scale(cls, real: ArrayLike) -> Requantize:
        """The nearest multipliers and shifts for real factors of shape (K,); relative error at most 2**-16.

        Multipliers come out in 2**15 .. 2**16 - 1. A factor too small to move any 33-bit sum off zero (below about
        2**-33) and the factor 0 become multiplier 0, shift 0.

        Raises `ConfigurationError` for another shape and for a factor that is negative, not finite, or 65535.5 and
        above.
        """
        factors = np.asarray(real, dtype=np.float64)
        if factors.ndim != 1:
            raise ConfigurationError(f"requantize: there must be one factor per channel, shape (K,), "
                                     f"not shape {factors.shape}")
        # The upper bound is where rounding to sixteen bits would reach 2**16 at shift 0.
        legal = np.isfinite(factors) & (factors >= 0) & (factors < 2**MULTIPLIER_BITS - 0.5)
        if not legal.all():
            channel = int(np.flatnonzero(~legal)[0])
            raise ConfigurationError(f"requantize: the factor of channel {channel} must be at least 0 and below "
                                     f"65535.5, not {factors[channel]}")
        fraction, exponent = np.frexp(factors)  # factor = fraction * 2**exponent, fraction in [0.5, 1) or 0
        multiplier = np.rint(fraction * 2.0**MULTIPLIER_BITS).astype(np.int64)
        shift = MULTIPLIER_BITS - exponent.astype(np.int64)
        overflow = multiplier == 2**MULTIPLIER_BITS
        multiplier[overflow] >>= 1
        shift[overflow] -= 1
        vanishing = (factors == 0) | (shift > LARGEST_SHIFT)
        multiplier[vanishing] = 0
        shift[vanishing] = 0
        return cls(multiplier=multiplier, shift=shift)

    @property
    def real(self) -> NDArray[np.float64]:
        """The factors these stand for, exactly: `multiplier / 2**shift`."""
        return np.ldexp(self.multiplier.astype(np.float64), -self.shift.astype(np.int64))

    def apply(self, sums: NDArray[np.integer | np.float64], channel_axis: int = 1) -> NDArray[np.int8]:
        """`round_half_even(sums * multiplier / 2**shift)` saturated to int8.

        `sums` holds whole numbers (integers, or float64 without fractions), each within 33 bits; its axis
        `channel_axis` has one entry per channel.
        Raises `ConfigurationError` for another number of channels or a sum beyond 33 bits.
        """
        channels = len(self.multiplier)
        if not 0 <= channel_axis < sums.ndim or sums.shape[channel_axis] != channels:
            raise ConfigurationError(f"requantize: axis {channel_axis} of the sums must have {channels} channels, "
                                     f"not shape {sums.shape}")
        limits = Interval.signed(SUM_BITS)
        if sums.size and not (limits.low <= sums.min() and sums.max() <= limits.high):
            raise ConfigurationError(f"requantize: every sum must fit {SUM_BITS} bits, "
                                     f"not {sums.min()} .. {sums.max()}")
        # float64 is exact here: 33-bit sum x 16-bit multiplier is a 49-bit whole number, a power of two only moves
        # its exponent, and rint rounds half to even. Three passes over the data where integers need seven.
        factors = self.real.reshape(-1, *[1] * (sums.ndim - channel_axis - 1))
        scaled = np.multiply(sums, factors, dtype=np.float64)
        return RESULT.saturate(np.rint(scaled, out=scaled))


def _whole_numbers(name: str, values: ArrayLike, legal: Interval, dtype: type[np.integer]) -> NDArray[np.integer]:
    """`values` as a read-only copy of shape (K,) and type `dtype`, or the error that names what is wrong."""
    array = np.asarray(values)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ConfigurationError(f"requantize: {name} must be a list of whole numbers, one per channel, "
                                 f"not {array.dtype} of shape {array.shape}")
    outside = (array < legal.low) | (array > legal.high)
    if outside.any():
        channel = int(np.flatnonzero(outside)[0])
        raise ConfigurationError(f"requantize: the {name} of channel {channel} must be {legal.low} to {legal.high}, "
                                 f"not {array[channel]}")
    copy = array.astype(dtype)
    copy.flags.writeable = False
    return copy
