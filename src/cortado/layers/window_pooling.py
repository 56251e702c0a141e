"""WindowPooling: pooling with any padding, dilation and number of axes, as ONNX has it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types

# Beyond this a window is a mistake in the file: no picture has so many values.
LARGEST_WINDOW = 2**18


class WindowMethod(Enum):
    """What a window becomes."""

    MAX = 0
    AVE = 1
    """The mean of the values that are there."""
    PADDED_AVE = 2
    """The mean, where padding counts as zeros."""
    LP = 3
    """The p-th root of the sum of the p-th powers of the magnitudes."""


@dataclass(frozen=True, kw_only=True)
class WindowPoolingParameters:
    """One number for each axis behind (N, C)."""

    method: WindowMethod
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    pad_begin: tuple[int, ...] = ()
    pad_end: tuple[int, ...] = ()
    count: tuple[int, ...] = ()
    """How many windows there are."""
    p: int = 2
    column_major: bool = False
    """Whether the places of maxima are counted with the last axis first."""

    def __post_init__(self) -> None:
        if len(self.kernel) not in (1, 2, 3):
            raise FieldError("kernel", f"must have one to three values, not {len(self.kernel)}")
        if math.prod(max(extent, 1) for extent in self.kernel) > LARGEST_WINDOW:
            raise FieldError("kernel", f"must cover at most {LARGEST_WINDOW} values, not "
                                       f"{math.prod(self.kernel)}")
        for name, least in (("kernel", 1), ("stride", 1), ("dilation", 1), ("pad_begin", 0), ("pad_end", 0),
                            ("count", 1)):
            values = getattr(self, name)
            if len(values) != len(self.kernel):
                raise FieldError(name, f"must have one value for each of {len(self.kernel)} axes, not {len(values)}")
            for index, value in enumerate(values):
                if not least <= value <= 2**20:
                    raise FieldError(name, f"must be from {least} to {2**20}, not {value}", index=index)


@layer_types.register("WindowPooling")
class WindowPooling(UntrainedLayer):
    """(N, C, D1, ...) -> (N, C, `count`): a window starts `stride` behind the one before, the first `pad_begin` before
    the bottom; what lies behind `pad_end` is in no window.

    A second top of a MAX has the place of each maximum, INT64, counted over the whole unpadded bottom.
    """

    parameters_type = WindowPoolingParameters
    parameters_field = "window_pooling_param"
    top_counts = range(1, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters, bottom = spec.parameters, bottoms[0]
        if bottom.rank != len(parameters.kernel) + 2:
            raise spec.error(f"bottom '{spec.bottoms[0]}' must have {len(parameters.kernel) + 2} dimensions, "
                             f"not {bottom}")
        if len(spec.tops) == 2 and parameters.method is not WindowMethod.MAX:
            raise spec.error("only a MAX has a second top")
        for axis, (size, kernel, stride, dilation, begin, end, count) in enumerate(zip(
                bottom.dims[2:], parameters.kernel, parameters.stride, parameters.dilation, parameters.pad_begin,
                parameters.pad_end, parameters.count, strict=True)):
            if (count - 1) * stride >= size + begin + end:
                raise spec.error(f"the last window along axis {axis + 2} must start inside the padded bottom "
                                 f"'{spec.bottoms[0]}': {count} windows of stride {stride} over "
                                 f"{size + begin + end}")
            if parameters.method is not WindowMethod.PADDED_AVE:
                if any(not any(begin <= first + tap * dilation < begin + size for tap in range(kernel))
                       for first in {0, (count - 1) * stride}):
                    raise spec.error(f"the first and last window along axis {axis + 2} must hold values of bottom "
                                     f"'{spec.bottoms[0]}', not padding alone")
        return (TensorShape((*bottom.dims[:2], *parameters.count)),) * len(spec.tops)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return spec.parameters.method is WindowMethod.MAX and len(spec.tops) == 1

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        x = bottoms[0]
        if parameters.method is WindowMethod.MAX:
            return self._maxima(x)
        sums = self._sums(x.abs().pow(parameters.p) if parameters.method is WindowMethod.LP else x)
        if parameters.method is WindowMethod.LP:
            return (sums.pow(1 / parameters.p),)
        there = x.new_ones((1, 1, *x.shape[2:]))
        if parameters.method is WindowMethod.PADDED_AVE:
            there = functional.pad(there, _margins(parameters.pad_begin, parameters.pad_end), value=1.0)
            return (sums / self._sums(there, (0,) * len(parameters.kernel)),)
        return (sums / self._sums(there),)

    def _covered(self, sizes: tuple[int, ...], begin: tuple[int, ...]) -> list[int]:
        """The padding (or cropping) to exactly what the windows cover."""
        parameters = self.spec.parameters
        ends = [(count - 1) * stride + dilation * (kernel - 1) + 1 - size - before
                for size, before, kernel, stride, dilation, count in zip(
                    sizes, begin, parameters.kernel, parameters.stride, parameters.dilation, parameters.count,
                    strict=True)]
        return _margins(begin, ends)

    def _sums(self, x: Tensor, begin: tuple[int, ...] | None = None) -> Tensor:
        """Of each window."""
        parameters = self.spec.parameters
        begin = parameters.pad_begin if begin is None else begin
        maps = functional.pad(x, self._covered(tuple(x.shape[2:]), begin)).flatten(0, 1)[:, None]
        convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[len(parameters.kernel) - 1]
        sums = convolve(maps, x.new_ones((1, 1, *parameters.kernel)), stride=parameters.stride,
                        dilation=parameters.dilation)
        return sums.reshape((*x.shape[:2], *parameters.count))

    def _maxima(self, x: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        # No whole number takes more than 53 bits in a picture; torch pools no whole numbers.
        real = x if x.is_floating_point() else x.double()
        covered = functional.pad(real, self._covered(tuple(x.shape[2:]), parameters.pad_begin), value=-torch.inf)
        pool = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[len(parameters.kernel) - 1]
        maxima, places = pool(covered, parameters.kernel, parameters.stride, 0, parameters.dilation,
                              return_indices=True)
        return (maxima.to(x.dtype), self._places(places, covered.shape, x.shape))[:len(self.spec.tops)]

    def _places(self, places: Tensor, covered: torch.Size, bottom: torch.Size) -> Tensor:
        """Places within a padded map as places within the bottom."""
        axes = []
        for axis in reversed(range(2, len(covered))):
            axes.append(places % covered[axis] - self.spec.parameters.pad_begin[axis - 2])
            places = places // covered[axis]
        # `axes` has the last one first.
        sizes = bottom[2:]
        order = range(len(sizes)) if self.spec.parameters.column_major else reversed(range(len(sizes)))
        flat, step = torch.zeros_like(places), 1
        for axis in order:
            flat = flat + axes[len(sizes) - 1 - axis] * step
            step *= sizes[axis]
        maps = torch.arange(bottom[0] * bottom[1]).reshape(bottom[0], bottom[1], *(1,) * len(sizes))
        return flat + maps * math.prod(sizes)


def _margins(begin: tuple[int, ...], end: tuple[int, ...] | list[int]) -> list[int]:
    """Torch's order: the last axis first."""
    return [amount for pair in reversed(list(zip(begin, end, strict=True))) for amount in pair]
