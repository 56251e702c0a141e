"""The int8 convolution that every rung of the ladder below `reference` must equal to the bit.

Exact sums out of floating-point matrix products: a product of two int8 numbers is at most 2**14 in magnitude, so a sum
of up to 1024 of them, and each of its partial sums in any order, is a whole number of at most 2**24. float32 holds all
of those, so no addition rounds however the library orders or fuses them, and the sums are those of integer arithmetic
at the speed of float32. Longer sums are cut into pieces of up to 1024 products, which are added in float64. All this
asks of the library is that a float32 matrix product adds up float32 products, as BLAS defines it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from cortado.errors import GraphError, WeightsError
from cortado.numerics.requantize import Requantize

# 2**24 / 2**14: what float32 adds up without rounding.
EXACT_PRODUCTS = 1024
# More products could pass the 32 bits of a sum: 131071 * 2**14 < 2**31.
LARGEST_TAPS = 2**17 - 1
# Outputs per channel computed at a time: enough for a good matrix product, few enough to stay in the cache.
BLOCK = 4096

Pad = tuple[int, int, int, int]  # zeros at (top, bottom, left, right)


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerConvolution:
    """A convolution of int8 by int8 down to int8: stride 1, no groups, no dilation.

    `weight` is int8 (K, C, R, S), `bias` int32 (K,) in units of the sums, `multiplier` uint16 (K,) and `shift`
    uint8 (K,) as in `Requantize`. `pad` counts the zeros added at (top, bottom, left, right); `relu` raises negative
    results to 0. The arrays are kept as read-only copies.

    Raises `WeightsError` for an array of another type or shape and for more than 131071 taps, `GraphError` for a
    negative pad, `ConfigurationError` for a shift outside its range.
    """

    weight: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.uint16]
    shift: NDArray[np.uint8]
    pad: Pad = (0, 0, 0, 0)
    relu: bool = False
    requantize: Requantize = field(init=False, repr=False)  # multiplier and shift as the step they define

    def __post_init__(self) -> None:
        if self.weight.dtype != np.int8 or self.weight.ndim != 4 or self.weight.size == 0:
            raise WeightsError(f"integer convolution: weight must be int8 of shape (K, C, R, S), none of them 0, "
                               f"not {self.weight.dtype} of shape {self.weight.shape}")
        if self.taps > EXACT_PRODUCTS * self.in_channels:
            raise WeightsError(f"integer convolution: the kernel must have at most {EXACT_PRODUCTS} taps, "
                               f"not {self.kernel[0]}x{self.kernel[1]}")
        if self.taps > LARGEST_TAPS:
            raise WeightsError(f"integer convolution: C * R * S must be at most {LARGEST_TAPS} for a sum of 32 bits, "
                               f"not {self.taps}")
        for name, dtype in (("bias", np.int32), ("multiplier", np.uint16), ("shift", np.uint8)):
            values = getattr(self, name)
            if values.dtype != dtype or values.shape != (self.out_channels,):
                raise WeightsError(f"integer convolution: {name} must be {np.dtype(dtype)} of shape "
                                   f"({self.out_channels},), one per output channel, "
                                   f"not {values.dtype} of shape {values.shape}")
        if len(self.pad) != 4 or min(self.pad) < 0:
            raise GraphError(f"integer convolution: pad must be (top, bottom, left, right), each at least 0, "
                             f"not {self.pad}")
        for name in ("weight", "bias", "multiplier", "shift"):
            copy = np.array(getattr(self, name), order="C")
            copy.flags.writeable = False
            object.__setattr__(self, name, copy)
        object.__setattr__(self, "requantize", Requantize(multiplier=self.multiplier, shift=self.shift))

    @property
    def out_channels(self) -> int:
        """K."""
        return self.weight.shape[0]

    @property
    def in_channels(self) -> int:
        """C."""
        return self.weight.shape[1]

    @property
    def kernel(self) -> tuple[int, int]:
        """(R, S): height and width."""
        return self.weight.shape[2], self.weight.shape[3]

    @property
    def taps(self) -> int:
        """Products in one sum: C * R * S."""
        return self.weight[0].size

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """(N, K, P, Q) for an input of shape (N, C, H, W).

        Raises `GraphError` for another rank or number of channels and for a padded map smaller than the kernel.
        """
        if len(shape) != 4 or 0 in shape or shape[1] != self.in_channels:
            raise GraphError(f"integer convolution: the input must have shape (N, {self.in_channels}, H, W), none of "
                             f"them 0, not {shape}")
        height, width = self._padded_size(shape)
        rows, columns = self.kernel
        if height < rows or width < columns:
            raise GraphError(f"integer convolution: the padded map must be at least as large as the kernel, "
                             f"{rows}x{columns}, not {height}x{width}; enlarge the pad")
        return shape[0], self.out_channels, height - rows + 1, width - columns + 1

    def accumulate(self, x: NDArray[np.int8]) -> NDArray[np.int64]:
        """The exact sums, without the bias, of int8 (N, C, H, W): int64 (N, K, P, Q).

        Raises `GraphError` for an input of another type and as `output_shape` does.
        """
        return self._convolve(x, np.int64, lambda sums: sums)

    def golden(self, x: NDArray[np.int8]) -> NDArray[np.int8]:
        """The layer's result for int8 (N, C, H, W): sums plus bias, requantised, then ReLU; int8 (N, K, P, Q).

        Raises `GraphError` for an input of another type and as `output_shape` does.
        """
        return self._convolve(x, np.int8, self._finish)

    def _finish(self, sums: NDArray[np.floating]) -> NDArray[np.int8]:
        """What follows the sums, for (K, columns) of them."""
        totals = np.add(sums, self.bias[:, np.newaxis], dtype=np.float64)  # at most 33 bits: exact
        results = self.requantize.apply(totals, channel_axis=0)
        return np.maximum(results, 0) if self.relu else results

    def _convolve(self, x: NDArray[np.int8], dtype: type[np.integer],
                  finish: Callable[[NDArray[np.floating]], NDArray]) -> NDArray[np.integer]:
        """`finish` of the exact sums (K, columns), block by block while they are in the cache: (N, K, P, Q).

        A block is some rows of one picture, or several whole pictures when they are small.
        """
        if x.dtype != np.int8:
            raise GraphError(f"integer convolution: the input must be int8, not {x.dtype}")
        result = np.empty(self.output_shape(x.shape), dtype)
        *_, out_height, out_width = result.shape
        height, width = self._padded_size(x.shape)
        group = max(1, BLOCK // (height * width))
        rows = out_height if group > 1 else max(1, BLOCK // width)
        for first in range(0, len(x), group):
            maps = self._padded(x[first : first + group])
            for top in range(0, out_height, rows):
                block = maps[:, :, top : top + rows + self.kernel[0] - 1]
                windows = self._windows(block)
                finished = np.empty((self.out_channels, *block.shape[1:]), dtype)
                finished.reshape(self.out_channels, -1)[:, : windows.shape[-1]] = finish(self._sums(windows))
                kept = finished[:, :, : min(rows, out_height - top), :out_width]
                result[first : first + group, :, top : top + rows] = kept.swapaxes(0, 1)
        return result

    def _padded_size(self, shape: tuple[int, ...]) -> tuple[int, int]:
        top, bottom, left, right = self.pad
        return shape[2] + top + bottom, shape[3] + left + right

    def _padded(self, pictures: NDArray[np.int8]) -> NDArray[np.float32]:
        """Zero-padded maps, channels first: float32 (C, N, height, width)."""
        count, channels, height, width = pictures.shape
        top, _, left, _ = self.pad
        maps = np.zeros((channels, count, *self._padded_size(pictures.shape)), np.float32)
        maps[:, :, top : top + height, left : left + width] = pictures.swapaxes(0, 1)
        return maps

    def _windows(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """A view (C, R, S, columns) of a block (C, N, height, width) whose rows and pictures lie back to back.

        Count the block's pixels as they lie in memory. Output p has its window's top left corner at pixel p, so tap
        (r, s) reads pixel p + r * width + s. Outputs whose window crosses the end of a row or of a picture mean
        nothing and are dropped later; in return the windows of all outputs are copied in long runs.
        """
        rows, columns = self.kernel
        *_, width = block.shape
        reach = (rows - 1) * width + columns - 1
        channel_stride, _, row_stride, pixel_stride = block.strides
        return as_strided(block, shape=(len(block), rows, columns, block[0].size - reach), writeable=False,
                          strides=(channel_stride, row_stride, pixel_stride, pixel_stride))

    @cached_property
    def _pieces(self) -> tuple[tuple[slice, NDArray[np.float32]], ...]:
        """Runs of input channels that stay within `EXACT_PRODUCTS`, each with its weights as (K, products)."""
        rows, columns = self.kernel
        count = -(-self.in_channels // (EXACT_PRODUCTS // (rows * columns)))
        bounds = [self.in_channels * piece // count for piece in range(count + 1)]
        return tuple((slice(first, last), self.weight[:, first:last].reshape(self.out_channels, -1).astype(np.float32))
                     for first, last in pairwise(bounds))

    def _sums(self, windows: NDArray[np.float32]) -> NDArray[np.floating]:
        """Exact sums (K, columns) for windows (C, R, S, columns): float32 from one piece, float64 from several."""
        (channels, weight), *rest = self._pieces
        sums = weight @ windows[channels].reshape(weight.shape[1], -1)
        for channels, weight in rest:
            sums = sums.astype(np.float64, copy=False)
            sums += weight @ windows[channels].reshape(weight.shape[1], -1)
        return sums
