"""Whole numbers of a fixed width, and the floats they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cortado.errors import ConfigurationError
from cortado.numerics.interval import Interval

SMALLEST_WIDTH, LARGEST_WIDTH = 2, 64
# float64 counts in ones up to 2**53, so the bounds of every signed format up to here are floats.
LARGEST_FLOAT_WIDTH = 53


@dataclass(frozen=True, kw_only=True)
class FixedPoint:
    """A format of `width` bits; the number q stands for the float q * scale, where the scale travels with the tensor.

    The range is the whole of two's complement (or of the unsigned number): -128 .. 127 for width 8.

    Raises `ConfigurationError` for a width outside 2 .. 64 (63 when unsigned, so that every number fits int64).
    """

    width: int
    signed: bool = True

    def __post_init__(self) -> None:
        largest = LARGEST_WIDTH if self.signed else LARGEST_WIDTH - 1
        if not SMALLEST_WIDTH <= self.width <= largest:
            raise ConfigurationError(f"format {self}: the width must be {SMALLEST_WIDTH} to {largest} bits, "
                                     f"not {self.width}")

    def __str__(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.width}"

    @property
    def interval(self) -> Interval:
        """Every number of this format."""
        return Interval.signed(self.width) if self.signed else Interval.unsigned(self.width)

    @property
    def min(self) -> int:
        """The smallest number."""
        return self.interval.low

    @property
    def max(self) -> int:
        """The largest number."""
        return self.interval.high

    @property
    def dtype(self) -> np.dtype:
        """The smallest NumPy integer that holds this format."""
        container = next(bits for bits in (8, 16, 32, 64) if bits >= self.width)
        return np.dtype(f"{'int' if self.signed else 'uint'}{container}")

    def saturate(self, values: ArrayLike) -> NDArray[np.integer]:
        """Whole numbers clipped to this format's range, as `dtype`: integers, or floats without fractions.

        Raises `ConfigurationError` for floats when the format is wider than 53 bits.
        """
        array = np.asarray(values)
        if np.issubdtype(array.dtype, np.floating):
            if self.width > LARGEST_FLOAT_WIDTH:
                raise ConfigurationError(f"format {self}: above {LARGEST_FLOAT_WIDTH} bits the numbers to saturate "
                                         f"must be integers, not {array.dtype}")
            return np.clip(array.astype(np.float64, copy=False), self.min, self.max).astype(self.dtype)
        limits = np.iinfo(array.dtype)  # a bound outside the array's own type cannot be reached, nor be written in it
        return np.clip(array, max(self.min, limits.min), min(self.max, limits.max)).astype(self.dtype)

    def scale_for(self, largest: float) -> float:
        """The scale at which the magnitude `largest` becomes `max`; 1.0 when it is 0, where any scale serves.

        Raises `ConfigurationError` for a magnitude below 0 or not finite.
        """
        if not (np.isfinite(largest) and largest >= 0):
            raise ConfigurationError(f"format {self}: the largest magnitude must be finite and at least 0, "
                                     f"not {largest}")
        scale = float(largest) / self.max
        return scale if scale > 0 else 1.0

    def quantise(self, values: ArrayLike, scale: ArrayLike) -> NDArray[np.integer]:
        """`values / scale` rounded half to even and saturated; `scale` broadcasts against `values`.

        Computed in float64. Raises `ConfigurationError` for a value or scale that is not finite and for a scale
        that is not above zero.
        """
        steps = _checked_scale(self, scale)
        floats = np.asarray(values, dtype=np.float64)
        if not np.isfinite(floats).all():
            raise ConfigurationError(f"format {self}: every value must be finite; the tensor holds NaN or infinity")
        with np.errstate(over="ignore"):  # a quotient beyond float64 is infinite and saturates like any large one
            return self.saturate(np.rint(floats / steps))

    def dequantise(self, numbers: ArrayLike, scale: ArrayLike) -> NDArray[np.float64]:
        """The floats that `numbers` stand for: `numbers * scale`, float64."""
        return np.asarray(numbers, dtype=np.float64) * _checked_scale(self, scale)


def wrap(values: ArrayLike, width: int) -> NDArray[np.int64]:
    """`values` modulo 2**width, read as two's complement: what a register of `width` bits keeps; width 1 to 64."""
    if not 1 <= width <= LARGEST_WIDTH:
        raise ConfigurationError(f"wrap: width must be 1 to {LARGEST_WIDTH} bits, not {width}")
    spare = np.int64(LARGEST_WIDTH - width)
    return np.asarray(values, dtype=np.int64) << spare >> spare


def _checked_scale(number_format: FixedPoint, scale: ArrayLike) -> NDArray[np.float64]:
    steps = np.asarray(scale, dtype=np.float64)
    if not (np.isfinite(steps) & (steps > 0)).all():
        raise ConfigurationError(f"format {number_format}: every scale must be finite and above 0, not {scale}")
    return steps
