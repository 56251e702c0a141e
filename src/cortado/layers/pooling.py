"""Pooling over (N, C, H, W): maximum and average, with Caffe's rounding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import CaffeEngine, UntrainedLayer, layer_types
from cortado.layers.window import picture_dims, window_pair


class PoolMethod(Enum):
    """What a window becomes."""

    MAX = 0
    AVE = 1
    STOCHASTIC = 2


class RoundMode(Enum):
    """Whether a window that only partly fits is kept (Caffe's default) or dropped."""

    CEIL = 0
    FLOOR = 1


@dataclass(frozen=True, kw_only=True)
class PoolingParameters:
    """Caffe's PoolingParameter."""

    pool: PoolMethod = PoolMethod.MAX
    pad: int | None = None
    pad_h: int | None = None
    pad_w: int | None = None
    kernel_size: int | None = None
    kernel_h: int | None = None
    kernel_w: int | None = None
    stride: int | None = None
    stride_h: int | None = None
    stride_w: int | None = None
    engine: CaffeEngine = CaffeEngine.DEFAULT
    global_pooling: bool = False
    round_mode: RoundMode = RoundMode.CEIL

    def __post_init__(self) -> None:
        if self.pool is PoolMethod.STOCHASTIC:
            raise FieldError("pool", "must be MAX or AVE; STOCHASTIC pooling is not supported")
        if self.global_pooling:
            for name in ("kernel_size", "kernel_h", "kernel_w"):
                if getattr(self, name) is not None:
                    raise FieldError(name, "must not be given with global_pooling: the window is the whole bottom")
            if self.strides != (1, 1) or self.pads != (0, 0):
                raise FieldError("global_pooling", "must have stride 1 and pad 0")
            return
        for name, kernel, pad in zip(("pad_h", "pad_w"), self.kernel_or_bottom((1, 1)), self.pads, strict=True):
            if pad >= kernel:
                raise FieldError("pad" if self.pad is not None else name,
                                 f"must be smaller than the kernel {kernel}, not {pad}")
        # The strides check their fields when they are asked.
        _ = self.strides

    def kernel_or_bottom(self, bottom: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the window over a bottom of that size."""
        if self.global_pooling:
            return bottom
        return window_pair("kernel_size", _repeated(self.kernel_size), self.kernel_h, self.kernel_w,
                           short="kernel", default=None, least=1)

    @property
    def strides(self) -> tuple[int, int]:
        """(vertical, horizontal) steps."""
        return window_pair("stride", _repeated(self.stride), self.stride_h, self.stride_w,
                           short="stride", default=1, least=1)

    @property
    def pads(self) -> tuple[int, int]:
        """(top and bottom, left and right) rows and columns that no value comes from."""
        return window_pair("pad", _repeated(self.pad), self.pad_h, self.pad_w, short="pad", default=0, least=0)


@layer_types.register("Pooling")
class Pooling(UntrainedLayer):
    """Maximum or average of each window, as Caffe's `pooling_layer.cpp`: (N, C, H, W) -> (N, C, OH, OW).

    Sizes round up by default; with padding, a last window that would start beyond the bottom is dropped. Padding
    never wins a maximum. An average divides by the window's size within the padded bottom, so padding counts as
    zeros but what lies beyond it does not count.
    """

    parameters_type = PoolingParameters
    parameters_field = "pooling_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        batch, channels, *bottom = picture_dims(spec, bottoms[0])
        kernels = parameters.kernel_or_bottom((bottom[0], bottom[1]))
        sizes = []
        for side, size, kernel, stride, pad in zip(("height", "width"), bottom, kernels, parameters.strides,
                                                   parameters.pads, strict=True):
            span = size + 2 * pad - kernel
            if span < 0:
                raise spec.error(f"the padded {side} of bottom '{spec.bottoms[0]}' must be at least the kernel's "
                                 f"{kernel}, not {size + 2 * pad}")
            count = (span if parameters.round_mode is RoundMode.FLOOR else span + stride - 1) // stride + 1
            if (count - 1) * stride >= size + pad:
                if not any(parameters.pads):
                    # Caffe would read an empty window here: it drops such a window only where there is padding.
                    raise spec.error(f"the last window along the {side} must start inside bottom "
                                     f"'{spec.bottoms[0]}': stride {stride} skips its end (size {size}, "
                                     f"kernel {kernel}); round_mode: FLOOR leaves that window out")
                count -= 1
            sizes.append(count)
        return (TensorShape((batch, channels, *sizes)),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return spec.parameters.pool is PoolMethod.MAX

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._bottom = bottoms[0].dims[2:]
        self._top = self.top_shapes(spec, bottoms)[0].dims[2:]
        self._kernel = spec.parameters.kernel_or_bottom(self._bottom)
        rows, columns = (
            torch.tensor([min(index * stride + kernel, size + 2 * pad) - index * stride for index in range(count)])
            for count, stride, kernel, size, pad in zip(self._top, spec.parameters.strides, self._kernel, self._bottom,
                                                        spec.parameters.pads, strict=True)
        )
        self.register_buffer("_window_sizes", (rows[:, None] * columns).float(), persistent=False)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        maximum = parameters.pool is PoolMethod.MAX
        # Padded (or cropped) to exactly what the windows cover, so that no rounding is left to torch.
        margins = []
        for size, count, kernel, stride, pad in zip(self._bottom, self._top, self._kernel, parameters.strides,
                                                    parameters.pads, strict=True):
            margins.append((pad, (count - 1) * stride + kernel - size - pad))
        covered = functional.pad(bottoms[0], (*margins[1], *margins[0]), value=-torch.inf if maximum else 0.0)
        if maximum:
            return (functional.max_pool2d(covered, self._kernel, parameters.strides),)
        sums = functional.avg_pool2d(covered, self._kernel, parameters.strides, divisor_override=1)
        return (sums / self._window_sizes,)


def _repeated(value: int | None) -> tuple[int, ...]:
    return () if value is None else (value,)
