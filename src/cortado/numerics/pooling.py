"""The int8 pooling that every rung of the ladder below `reference` must equal to the bit.

Sizes and windows are Caffe's: the size of the output rounds up, a last window that would start beyond the bottom is
dropped where there is padding, windows end at the padded border. A maximum is exact. For an average with S the sum of
a window's numbers and D its size within the padded map (padding counts, what lies beyond it does not):

    M, n = the multiplier (16 bits) and shift that `Requantize.from_scale` gives for factor / D
    y    = round_half_even(S * M / 2**n), saturated to int8

`factor` is what one step of the input is worth in steps of the output. Only the last window along a side can be cut
short by the border, so a map has at most four different D: rows whole or cut, columns whole or cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from cortado.errors import ConfigurationError, GraphError
from cortado.numerics.requantize import Requantize

LOWEST = -128  # no int8 number loses against it, so padding never wins a maximum

Pair = tuple[int, int]  # vertical, horizontal


class PoolingKind(Enum):
    """What the numbers of a window become."""

    MAX = "max"
    AVERAGE = "average"


@dataclass(frozen=True, kw_only=True)
class IntegerPooling:
    """Pooling of int8 maps (N, C, H, W) into int8 maps; pairs are (vertical, horizontal).

    `kernel` None is the whole map (global pooling). `pad` counts the rows and columns added on both sides; `round_up`
    False drops windows that only partly fit. `factor` is for averages alone.

    Raises `GraphError` for a kernel or stride below 1 and a pad that is negative or not smaller than its kernel, for
    global pooling with a stride or pad, `ConfigurationError` for a factor that is not above 0 and finite, or given
    with a maximum.
    """

    kind: PoolingKind
    kernel: Pair | None
    stride: Pair = (1, 1)
    pad: Pair = (0, 0)
    round_up: bool = True
    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.kernel is None:
            if (self.stride, self.pad) != ((1, 1), (0, 0)):
                raise GraphError(f"integer pooling: global pooling must have stride 1 and pad 0, "
                                 f"not stride {self.stride} and pad {self.pad}")
        else:
            for name, pair in (("kernel", self.kernel), ("stride", self.stride)):
                if len(pair) != 2 or min(pair) < 1:
                    raise GraphError(f"integer pooling: {name} must be (vertical, horizontal), each at least 1, "
                                     f"not {pair}")
            if len(self.pad) != 2 or not all(0 <= pad < kernel
                                             for pad, kernel in zip(self.pad, self.kernel, strict=True)):
                raise GraphError(f"integer pooling: pad must be (vertical, horizontal), at least 0 and smaller than "
                                 f"the kernel {self.kernel}, not {self.pad}")
        if not (np.isfinite(self.factor) and self.factor > 0):
            raise ConfigurationError(f"integer pooling: factor must be finite and above 0, not {self.factor}")
        if self.kind is PoolingKind.MAX and self.factor != 1:
            raise ConfigurationError(f"integer pooling: a maximum keeps its scale; factor must be 1, "
                                     f"not {self.factor}")

    def kernel_over(self, size: Pair) -> Pair:
        """The window over maps of that (height, width)."""
        return size if self.kernel is None else self.kernel

    def output_size(self, size: Pair) -> Pair:
        """(height, width) of the output for maps of that (height, width).

        Raises `GraphError` for a padded map smaller than the kernel and for a last window that starts beyond a map
        without padding.
        """
        sizes = []
        for side, count, kernel, stride, pad in zip(("height", "width"), size, self.kernel_over(size), self.stride,
                                                    self.pad, strict=True):
            span = count + 2 * pad - kernel
            if count < 1 or span < 0:
                raise GraphError(f"integer pooling: the padded {side} must be at least the kernel's {kernel}, "
                                 f"not {count + 2 * pad}")
            windows = (span + (stride - 1 if self.round_up else 0)) // stride + 1
            if (windows - 1) * stride >= count + pad:
                if not any(self.pad):
                    raise GraphError(f"integer pooling: the last window along the {side} must start inside the map: "
                                     f"stride {stride} skips its end (size {count}, kernel {kernel})")
                windows -= 1
            sizes.append(windows)
        return sizes[0], sizes[1]

    def last_window(self, size: Pair) -> Pair:
        """(rows, columns) of the last windows along each side that lie within the padded map."""
        rows, columns = (min(kernel, count + 2 * pad - (windows - 1) * stride)
                         for count, windows, kernel, stride, pad in zip(
                             size, self.output_size(size), self.kernel_over(size), self.stride, self.pad, strict=True))
        return rows, columns

    def requantize(self, size: Pair) -> Requantize:
        """Multipliers and shifts of an average over maps of that (height, width), four of them.

        The first is for windows of all rows and columns, then the last column's, the last row's, and the corner's.
        """
        rows, columns = self.kernel_over(size)
        last_rows, last_columns = self.last_window(size)
        divisors = [rows * columns, rows * last_columns, last_rows * columns, last_rows * last_columns]
        return Requantize.from_scale(self.factor / np.array(divisors, np.float64))

    def golden(self, x: NDArray[np.int8]) -> NDArray[np.int8]:
        """The pooled maps of int8 (N, C, H, W): int8 (N, C, P, Q).

        Raises `GraphError` for an input of another type or rank and as `output_size` does.
        """
        if x.dtype != np.int8 or x.ndim != 4:
            raise GraphError(f"integer pooling: the input must be int8 of shape (N, C, H, W), not {x.dtype} of shape "
                             f"{x.shape}")
        size = x.shape[2:]
        if self.kind is PoolingKind.MAX:
            return self._reduce(x, np.maximum, LOWEST)
        sums = self._reduce(x.astype(np.int32), np.add, 0)
        result, requantize = np.empty(sums.shape, np.int8), self.requantize(size)
        last_row, last_column = (windows - 1 for windows in self.output_size(size))
        places = [(slice(None, last_row), slice(None, last_column)), (slice(None, last_row), slice(last_column, None)),
                  (slice(last_row, None), slice(None, last_column)), (slice(last_row, None), slice(last_column, None))]
        for number, (rows, columns) in enumerate(places):
            one = Requantize(multiplier=requantize.multiplier[number:][:1], shift=requantize.shift[number:][:1])
            windows = sums[..., rows, columns]
            result[..., rows, columns] = one.apply(windows[np.newaxis], channel_axis=0)[0]
        return result

    def _reduce(self, x: NDArray[np.integer], reduction: np.ufunc, beyond: int) -> NDArray[np.integer]:
        """Columns of each window, then the results of its rows; what lies beyond the map is `beyond`."""
        size = x.shape[2:]
        sides = zip((2, 3), size, self.output_size(size), self.kernel_over(size), self.stride, self.pad, strict=True)
        for axis, count, windows, kernel, stride, pad in sides:
            # As many lines as the windows cover; windows of a dropped end cover less than the map.
            covered = (windows - 1) * stride + kernel
            margins = [(0, 0)] * 4
            margins[axis] = (pad, max(0, covered - count - pad))
            lines = np.moveaxis(np.pad(x, margins, constant_values=beyond), axis, 0)
            x = lines[: covered - kernel + 1 : stride].copy()
            for offset in range(1, kernel):
                reduction(x, lines[offset : covered - kernel + 1 + offset : stride], out=x)
            x = np.moveaxis(x, 0, axis)
        return np.ascontiguousarray(x)
