"""From a wide sum to int8 or int16: an integer multiplier and a right shift per output channel.

This is the definition the gateware follows. For one sum s, of at most 33 bits where all numbers are int8, a multiplier
M and a shift n:

    p = s * M                                      exact: 16 bits more than s, two's complement
    q = p                                          when n = 0
    q = (p + (2**(n-1) - 1) + bit n of p) >> n     otherwise: one bit more before the arithmetic shift
    y = min(max(q, -128), 127)                     for int16: min(max(q, -32768), 32767)

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
# A 32-bit accumulator and a 32-bit bias add up to 33 bits: what sums of products of int8 need.
SUM_BITS = 33
SUMS = Interval.signed(SUM_BITS)
PRODUCT_BITS = (Interval.signed(SUM_BITS) * Interval.unsigned(MULTIPLIER_BITS)).bits  # p above: 49
# Sums of 33 bits stay within 2**32, so a real factor below 2**-33 rounds every one of them to 0 and needs no
# representation; 2**15 / 2**48 is 2**-33. For wider sums a smaller factor has a multiplier below 2**15.
LARGEST_SHIFT = 48
# float64 counts in ones up to 2**53: sums for which p is exact there.
FLOAT_SUMS = Interval.signed(53 - MULTIPLIER_BITS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Requantize:
    """One multiplier (uint16) and one right shift (uint8, 0 .. 48) per output channel, both of shape (K,).

    Stands for the real factors `multiplier / 2**shift`. Any multiplier is legal; `from_scale` makes them use all
    sixteen bits. `sums` is what the sums can be, `result` what they become. The arrays are kept as read-only copies.

    Raises `ConfigurationError` for a multiplier or shift outside its range, for unequal lengths and for sums whose
    products pass 64 bits.
    """

    multiplier: NDArray[np.uint16]
    shift: NDArray[np.uint8]
    result: FixedPoint = RESULT
    sums: Interval = SUMS

    def __post_init__(self) -> None:
        multiplier = _whole_numbers("multiplier", self.multiplier, Interval.unsigned(MULTIPLIER_BITS), np.uint16)
        shift = _whole_numbers("shift", self.shift, Interval(0, LARGEST_SHIFT), np.uint8)
        if len(multiplier) != len(shift):
            raise ConfigurationError(f"requantize: there must be one shift per multiplier, not {len(shift)} shifts "
                                     f"for {len(multiplier)} multipliers")
        if (self.sums * Interval.unsigned(MULTIPLIER_BITS)).bits > 64:
            raise ConfigurationError(f"requantize: the sums times {MULTIPLIER_BITS} bits must fit 64 bits, "
                                     f"not {self.sums.bits}-bit sums from {self.sums.low} to {self.sums.high}")
        object.__setattr__(self, "multiplier", multiplier)
        object.__setattr__(self, "shift", shift)

    @classmethod
    def from_scale(cls, real: ArrayLike, *, result: FixedPoint = RESULT,
                   sums: Interval = SUMS) -> Requantize:
        """The nearest multipliers and shifts for real factors of shape (K,); relative error at most 2**-16.

        Multipliers come out in 2**15 .. 2**16 - 1. A factor too small to move any 33-bit sum off zero (below about
        2**-33) and the factor 0 become multiplier 0, shift 0; for wider sums such a factor is met within 2**-49.

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
        small = shift > LARGEST_SHIFT
        multiplier[small] = np.rint(np.ldexp(factors[small], LARGEST_SHIFT)) if sums.bits > SUM_BITS else 0
        shift[small] = LARGEST_SHIFT
        shift[multiplier == 0] = 0
        return cls(multiplier=multiplier, shift=shift, result=result, sums=sums)

    @property
    def real(self) -> NDArray[np.float64]:
        """The factors these stand for, exactly: `multiplier / 2**shift`."""
        return np.ldexp(self.multiplier.astype(np.float64), -self.shift.astype(np.int64))

    def apply(self, sums: NDArray[np.integer | np.float64], channel_axis: int = 1) -> NDArray[np.integer]:
        """`round_half_even(sums * multiplier / 2**shift)` saturated to `result`.

        `sums` holds whole numbers (integers, or float64 without fractions), each within `self.sums`; its axis
        `channel_axis` has one entry per channel.
        Raises `ConfigurationError` for another number of channels or a sum beyond `self.sums`.
        """
        channels = len(self.multiplier)
        if not 0 <= channel_axis < sums.ndim or sums.shape[channel_axis] != channels:
            raise ConfigurationError(f"requantize: axis {channel_axis} of the sums must have {channels} channels, "
                                     f"not shape {sums.shape}")
        if not sums.size:
            return np.empty(sums.shape, self.result.dtype)
        lowest, highest = sums.min(), sums.max()
        if not (self.sums.low <= lowest and highest <= self.sums.high):
            raise ConfigurationError(f"requantize: every sum must fit {self.sums.bits} bits, not {lowest} .. {highest}")
        shape = -1, *[1] * (sums.ndim - channel_axis - 1)
        if lowest < FLOAT_SUMS.low or highest > FLOAT_SUMS.high:
            return self.result.saturate(_half_to_even(
                sums.astype(np.int64) * self.multiplier.astype(np.int64).reshape(shape),
                self.shift.astype(np.int64).reshape(shape)))
        # float64 is exact here: 37-bit sum x 16-bit multiplier is a 53-bit whole number, a power of two only moves
        # its exponent, and rint rounds half to even. Three passes over the data where integers need ten.
        scaled = np.multiply(sums, self.real.reshape(shape), dtype=np.float64)
        return self.result.saturate(np.rint(scaled, out=scaled))


def _half_to_even(products: NDArray[np.int64], shift: NDArray[np.int64]) -> NDArray[np.int64]:
    """`products / 2**shift` rounded half to even; by the remainder, for adding a half could pass 64 bits."""
    quotients = products >> shift
    twice_the_rest = 2 * (products - (quotients << shift))
    one = np.int64(1) << shift
    return quotients + ((twice_the_rest > one) | ((twice_the_rest == one) & (quotients & 1 == 1)))


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
