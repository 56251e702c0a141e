"""The integer convolution that every rung of the ladder below `reference` must equal to the bit.

Exact sums out of floating-point matrix products: a product of two int8 numbers is at most 2**14 in magnitude, so a sum
of up to 1024 of them, and each of its partial sums in any order, is a whole number of at most 2**24. float32 holds all
of those, so no addition rounds however the library orders or fuses them, and the sums are those of integer arithmetic
at the speed of float32. Longer sums are cut into pieces of up to 1024 products, which are added in float64. All this
asks of the library is that a float32 matrix product adds up float32 products, as BLAS defines it.

Where maps or weights are int16, a product is up to 2**30: four of 2**22 would already reach the end of float32. These
sums are float64 from the start, which holds every whole number up to 2**53: more than 2**17 products of 2**30. They
are cut into the same pieces, which bounds the memory it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cortado.errors import ConfigurationError, GraphError, WeightsError
from cortado.numerics.fixed_point import FixedPoint
from cortado.numerics.interval import Interval
from cortado.numerics.leaky_relu import LARGEST_SLOPE, leaky_relu
from cortado.numerics.requantize import Requantize

# 2**24 / 2**14: what float32 adds up without rounding.
EXACT_PRODUCTS = 1024
# More products could pass the 32 bits of a sum of int8: 131071 * 2**14 < 2**31. Sums of int16 then take 48 bits.
LARGEST_TAPS = 2**17 - 1
BIAS_BITS = 32
# Outputs per channel computed at a time: enough for a good matrix product, few enough to stay in the cache.
BLOCK = 4096
# Weights a layer keeps as floats too; larger ones (inner products) are converted piece by piece each time.
LARGEST_KEPT = 2**24

# The types of weights for each width of the maps.
WEIGHT_TYPES = {8: (np.dtype(np.int8),), 16: (np.dtype(np.int8), np.dtype(np.int16))}

Pad = tuple[int, int, int, int]  # zeros at (top, bottom, left, right)
Pair = tuple[int, int]  # (vertical, horizontal)


def sum_range(data_bits: int, weight_bits: int) -> Interval:
    """What a sum with its bias can be, for the largest layer there is."""
    return (Interval.signed(data_bits) * Interval.signed(weight_bits) * LARGEST_TAPS
            + Interval.signed(BIAS_BITS))


@dataclass(frozen=True, kw_only=True, eq=False)
class IntegerConvolution:
    """A convolution of int8 by int8 down to int8, or of int16 by int8 or int16 down to int16.

    Maps are of `data_bits` bits, going in and coming out. `weight` is int8 (K, C / group, R, S), or int16 where the
    maps are; `bias` int32 (K,) in units of the sums, `multiplier` uint16 (K,) and `shift` uint8 (K,) as in
    `Requantize`. `pad` counts the zeros added at (top, bottom, left, right); `stride` and `dilation` are (vertical,
    horizontal). Output channels 0 .. K / group - 1 see the first C / group input channels, and so on. `relu` multiplies
    negative results by slope / 256 as in `leaky_relu`. The arrays are kept as read-only copies.

    An inner product is a 1 x 1 kernel on maps (N, C, 1, 1).

    Raises `WeightsError` for an array of another type or shape and for more than 131071 taps, `GraphError` for a
    negative pad, a stride, dilation or group below 1, or a group that does not divide K, `ConfigurationError` for
    other data_bits and for a shift or slope outside its range.
    """

    weight: NDArray[np.int8 | np.int16]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.uint16]
    shift: NDArray[np.uint8]
    pad: Pad = (0, 0, 0, 0)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    group: int = 1
    relu: bool = False
    slope: int = 0
    data_bits: int = 8
    requantize: Requantize = field(init=False, repr=False)  # multiplier and shift as the step they define

    def __post_init__(self) -> None:
        if self.data_bits not in WEIGHT_TYPES:
            raise ConfigurationError(f"integer convolution: data_bits must be {' or '.join(map(str, WEIGHT_TYPES))}, "
                                     f"not {self.data_bits}")
        weight_types = WEIGHT_TYPES[self.data_bits]
        if self.weight.dtype not in weight_types or self.weight.ndim != 4 or self.weight.size == 0:
            raise WeightsError(f"integer convolution: weight must be {' or '.join(map(str, weight_types))} of shape "
                               f"(K, C, R, S), none of them 0, not {self.weight.dtype} of shape {self.weight.shape}")
        if self.kernel[0] * self.kernel[1] > EXACT_PRODUCTS:
            raise WeightsError(f"integer convolution: the kernel must have at most {EXACT_PRODUCTS} taps, "
                               f"not {self.kernel[0]}x{self.kernel[1]}")
        if self.taps > LARGEST_TAPS:
            raise WeightsError(f"integer convolution: C * R * S must be at most {LARGEST_TAPS} for a sum of "
                               f"{2 * BIAS_BITS if self._is_wide else BIAS_BITS} bits, not {self.taps}")
        for name, dtype in (("bias", np.int32), ("multiplier", np.uint16), ("shift", np.uint8)):
            values = getattr(self, name)
            if values.dtype != dtype or values.shape != (self.out_channels,):
                raise WeightsError(f"integer convolution: {name} must be {np.dtype(dtype)} of shape "
                                   f"({self.out_channels},), one per output channel, "
                                   f"not {values.dtype} of shape {values.shape}")
        if len(self.pad) != 4 or min(self.pad) < 0:
            raise GraphError(f"integer convolution: pad must be (top, bottom, left, right), each at least 0, "
                             f"not {self.pad}")
        for name in ("stride", "dilation"):
            pair = getattr(self, name)
            if len(pair) != 2 or min(pair) < 1:
                raise GraphError(f"integer convolution: {name} must be (vertical, horizontal), each at least 1, "
                                 f"not {pair}")
        if self.group < 1 or self.out_channels % self.group:
            raise GraphError(f"integer convolution: group must divide the {self.out_channels} output channels, "
                             f"not {self.group}")
        if not 0 <= self.slope <= (LARGEST_SLOPE if self.relu else 0):
            raise ConfigurationError(f"integer convolution: slope must be 0 to {LARGEST_SLOPE}, and 0 without relu, "
                                     f"not {self.slope} {'with' if self.relu else 'without'} relu")
        for name in ("weight", "bias", "multiplier", "shift"):
            copy = np.array(getattr(self, name), order="C")
            copy.flags.writeable = False
            object.__setattr__(self, name, copy)
        object.__setattr__(self, "requantize", Requantize(
            multiplier=self.multiplier, shift=self.shift, result=FixedPoint(width=self.data_bits),
            sums=sum_range(self.data_bits, self.weight_bits)))

    @property
    def weight_bits(self) -> int:
        """Of one weight."""
        return 8 * self.weight.itemsize

    @property
    def data_type(self) -> np.dtype:
        """Of the maps, going in and coming out."""
        return np.dtype(f"int{self.data_bits}")

    @property
    def _is_wide(self) -> bool:
        """Whether the products are too large for sums in float32."""
        return self.data_bits + self.weight_bits > 16

    @property
    def _sum_type(self) -> np.dtype:
        return np.dtype(np.float64 if self._is_wide else np.float32)

    @property
    def out_channels(self) -> int:
        """K."""
        return self.weight.shape[0]

    @property
    def in_channels(self) -> int:
        """C, of all groups together."""
        return self.weight.shape[1] * self.group

    @property
    def kernel(self) -> Pair:
        """(R, S): height and width."""
        return self.weight.shape[2], self.weight.shape[3]

    @property
    def reach(self) -> Pair:
        """Height and width of the window of one output, dilation included."""
        return tuple((size - 1) * step + 1 for size, step in zip(self.kernel, self.dilation, strict=True))

    @property
    def taps(self) -> int:
        """Products in one sum: C / group * R * S."""
        return self.weight[0].size

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """(N, K, P, Q) for an input of shape (N, C, H, W).

        Raises `GraphError` for another rank or number of channels and for a padded map smaller than the kernel.
        """
        if len(shape) != 4 or 0 in shape or shape[1] != self.in_channels:
            raise GraphError(f"integer convolution: the input must have shape (N, {self.in_channels}, H, W), none of "
                             f"them 0, not {shape}")
        height, width = self._padded_size(shape)
        rows, columns = self.reach
        if height < rows or width < columns:
            dilated = "" if self.dilation == (1, 1) else " with its dilation"
            raise GraphError(f"integer convolution: the padded map must be at least as large as the kernel{dilated}, "
                             f"{rows}x{columns}, not {height}x{width}; enlarge the pad")
        return (shape[0], self.out_channels, (height - rows) // self.stride[0] + 1,
                (width - columns) // self.stride[1] + 1)

    def accumulate(self, x: NDArray[np.int8 | np.int16]) -> NDArray[np.int64]:
        """The exact sums, without the bias, of maps (N, C, H, W) of `data_bits`: int64 (N, K, P, Q).

        Raises `GraphError` for an input of another type and as `output_shape` does.
        """
        return self._convolve(x, np.int64, lambda sums: sums)

    def golden(self, x: NDArray[np.int8 | np.int16]) -> NDArray[np.int8 | np.int16]:
        """The layer's result for maps (N, C, H, W) of `data_bits`: sums plus bias, requantised, then ReLU; maps
        (N, K, P, Q) of the same type.

        Raises `GraphError` for an input of another type and as `output_shape` does.
        """
        return self._convolve(x, self.data_type, self._finish)

    def _finish(self, sums: NDArray[np.floating]) -> NDArray[np.int8 | np.int16]:
        """What follows the sums, for (K, columns) of them."""
        totals = np.add(sums, self.bias[:, np.newaxis], dtype=np.float64)  # at most 49 bits: exact
        results = self.requantize.apply(totals, channel_axis=0)
        return leaky_relu(results, self.slope) if self.relu else results

    def _convolve(self, x: NDArray[np.int8 | np.int16], dtype: np.dtype | type[np.integer],
                  finish: Callable[[NDArray[np.floating]], NDArray]) -> NDArray[np.integer]:
        """`finish` of the exact sums (K, columns), block by block while they are in the cache: (N, K, P, Q).

        A block is some rows of one picture, or several whole pictures when they are small. Outputs are counted as the
        pixels of a phase lie in memory (see `_phases`), so the windows of all of them are copied in long runs; the
        outputs whose window crosses the end of a row or of a picture mean nothing and are dropped.
        """
        if x.dtype != self.data_type:
            raise GraphError(f"integer convolution: the input must be {self.data_type}, not {x.dtype}")
        result = np.empty(self.output_shape(x.shape), dtype)
        *_, out_height, out_width = result.shape
        height, width = self._phase_size(x.shape)
        pictures = max(1, BLOCK // (height * width))
        rows = out_height if pictures > 1 else max(1, BLOCK // width)
        for first in range(0, len(x), pictures):
            batch = x[first : first + pictures]
            phases = self._phases(batch)
            for top in range(0, out_height, rows):
                kept = min(rows, out_height - top)
                # Whole pictures lie a phase apart; rows of one picture end where they end.
                pitch = height if len(batch) > 1 else kept
                columns = ((len(batch) - 1) * pitch + kept - 1) * width + out_width
                finished = np.empty((self.out_channels, len(batch), pitch, width), dtype)
                finished.reshape(self.out_channels, -1)[:, :columns] = finish(self._sums(
                    phases, slice(top * width, top * width + columns), width))
                result[first : first + pictures, :, top : top + kept] = \
                    finished[:, :, :kept, :out_width].swapaxes(0, 1)
        return result

    def _padded_size(self, shape: tuple[int, ...]) -> Pair:
        top, bottom, left, right = self.pad
        return shape[2] + top + bottom, shape[3] + left + right

    def _phase_size(self, shape: tuple[int, ...]) -> Pair:
        """Height and width of one phase of the padded map: every stride-th row and column, rounded up."""
        return tuple(-(-size // step) for size, step in zip(self._padded_size(shape), self.stride, strict=True))

    @cached_property
    def _places(self) -> tuple[tuple[Pair, Pair, Pair], ...]:
        """Each tap (r, s) with the phase it reads and where its window's top left output finds it in that phase.

        Output p reads row p * stride + r * dilation, which is row p + r * dilation // stride of phase
        r * dilation % stride; columns alike.
        """
        return tuple(
            ((r, s), (r * self.dilation[0] % self.stride[0], s * self.dilation[1] % self.stride[1]),
             (r * self.dilation[0] // self.stride[0], s * self.dilation[1] // self.stride[1]))
            for r, s in np.ndindex(self.kernel))

    def _phases(self, pictures: NDArray[np.int8 | np.int16]) -> dict[Pair, NDArray[np.floating]]:
        """The phases some tap reads, channels first and pixels back to back: floats (group, C / group, pixels).

        Phase (a, b) holds every stride-th row of the padded maps from row a and every stride-th column from column b.
        """
        count, channels, height, width = pictures.shape
        top, _, left, _ = self.pad
        rows, columns = self._phase_size(pictures.shape)
        vertical, horizontal = self.stride
        if self.stride == (1, 1) and self.pad == (0, 0, 0, 0):
            maps = pictures.swapaxes(0, 1).astype(self._sum_type, order="C")
        else:
            maps = np.zeros((channels, count, rows * vertical, columns * horizontal), self._sum_type)
            maps[:, :, top : top + height, left : left + width] = pictures.swapaxes(0, 1)
        return {(a, b): np.ascontiguousarray(maps[:, :, a::vertical, b::horizontal]).reshape(
            self.group, channels // self.group, -1) for a, b in {phase for _, phase, _ in self._places}}

    @cached_property
    def _bounds(self) -> tuple[slice, ...]:
        """Runs of a group's input channels whose products stay within `EXACT_PRODUCTS`."""
        rows, columns = self.kernel
        channels = self.weight.shape[1]
        count = -(-channels // (EXACT_PRODUCTS // (rows * columns)))
        return tuple(slice(*pair) for pair in pairwise(channels * piece // count for piece in range(count + 1)))

    def _convert(self) -> Iterator[tuple[slice, NDArray[np.floating]]]:
        """Each run of channels with its weights: floats (group, K / group, products)."""
        for channels in self._bounds:
            yield channels, self.weight[:, channels].reshape(
                self.group, self.out_channels // self.group, -1).astype(self._sum_type)

    @cached_property
    def _kept(self) -> tuple[tuple[slice, NDArray[np.floating]], ...]:
        return tuple(self._convert())

    def _sums(self, phases: dict[Pair, NDArray[np.floating]], run: slice, width: int) -> NDArray[np.floating]:
        """Exact sums (K, columns) of the outputs `run`, `width` outputs a row: float64 of several pieces."""
        sums = None
        for channels, weight in self._kept if self.weight.size <= LARGEST_KEPT else self._convert():
            part = weight @ self._windows(phases, channels, run, width)
            if sums is None:
                sums = part
            else:
                sums = sums.astype(np.float64, copy=False)
                sums += part
        return sums.reshape(self.out_channels, -1)

    def _windows(self, phases: dict[Pair, NDArray[np.floating]], channels: slice, run: slice,
                 width: int) -> NDArray[np.floating]:
        """The values under each tap for the outputs `run`: floats (group, channels * R * S, columns)."""
        def under(phase: Pair, place: Pair) -> NDArray[np.floating]:
            begin = place[0] * width + place[1]
            return phases[phase][:, channels, run.start + begin : run.stop + begin]

        if self.kernel == (1, 1):
            (_, phase, place), = self._places
            return under(phase, place)
        count = channels.stop - channels.start
        windows = np.empty((self.group, count, *self.kernel, run.stop - run.start), self._sum_type)
        for (r, s), phase, place in self._places:
            windows[:, :, r, s] = under(phase, place)
        return windows.reshape(self.group, -1, windows.shape[-1])
