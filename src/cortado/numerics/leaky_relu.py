"""The leaky rectifier on int8 or int16: what is negative is multiplied by a slope in 256ths.

This is the definition the gateware follows. For a requantised result y and a slope S of 8 bits, when y is negative:

    p = y * S                              exact: 8 bits more than y, two's complement
    y = (p + 127 + bit 8 of p) >> 8        an arithmetic shift

which is y * S / 256 rounded half to even: the added constant carries into bit 8 exactly when the fraction is above one
half, or is one half and bit 8, the last bit that stays, is 1. Slope 0 is the plain rectifier. The result is never
beyond y, so nothing saturates.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

SLOPE_BITS = 8
SLOPE_ONE = 2**SLOPE_BITS  # the slope that would leave a negative number as it is
LARGEST_SLOPE = SLOPE_ONE - 1


def leaky_relu(numbers: NDArray[np.int8 | np.int16], slope: int = 0) -> NDArray[np.int8 | np.int16]:
    """`numbers` of any shape with the negative ones times slope / 256, rounded half to even; slope 0 to 255."""
    if slope == 0:
        return np.maximum(numbers, 0)
    return _table(slope, 8 * numbers.itemsize)[numbers.view(f"u{numbers.itemsize}")]


def nearest_slope(negative_slope: float) -> int | None:
    """The slope nearest to a real one, at most 1/512 away; None where no slope of 0 .. 255 is that near."""
    slope = round(negative_slope * SLOPE_ONE) if np.isfinite(negative_slope) else -1
    return slope if 0 <= slope <= LARGEST_SLOPE else None


@cache
def _table(slope: int, bits: int) -> NDArray[np.int8 | np.int16]:
    """The result for each number of 8 or 16 bits, by these as an unsigned number."""
    numbers = np.arange(2**bits, dtype=f"uint{bits}").view(f"int{bits}")
    products = numbers.astype(np.int64) * slope
    rounded = products + (SLOPE_ONE // 2 - 1) + (products >> SLOPE_BITS & 1) >> SLOPE_BITS
    table = np.where(numbers < 0, rounded, numbers).astype(numbers.dtype)
    table.flags.writeable = False
    return table
