"""Pooling over (N, C, H, W): maximum, average and stochastic, with Caffe's rounding."""

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
        if self.pool is PoolMethod.STOCHASTIC and self.pads != (0, 0):
            raise FieldError("pool", "must be MAX or AVE where there is padding, not STOCHASTIC")
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
    """Maximum or average of each window, or a value drawn from it: (N, C, H, W) -> (N, C, OH, OW).

    Sizes round up by default; with padding, a last window that would start beyond the bottom is dropped. Padding
    never wins a maximum; a second top has the place of each maximum in its plane, counted row by row. An average
    divides by the window's size within the padded bottom, so padding counts as zeros but what lies beyond it does not
    count. STOCHASTIC takes a value with its share of the window's sum as probability while training, and the mean by
    these probabilities otherwise; values must not be negative. Sources: Caffe's `pooling_layer.cpp` and
    `pooling_layer.cu`; Zeiler & Fergus 2013, "Stochastic Pooling", equations 4 to 6.
    """

    parameters_type = PoolingParameters
    parameters_field = "pooling_param"
    top_counts = range(1, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        if len(spec.tops) > 1 and parameters.pool is not PoolMethod.MAX:
            raise spec.error(f"only pool: MAX has a second top, the places of the maxima, not {parameters.pool.name}")
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
        return (TensorShape((batch, channels, *sizes)),) * len(spec.tops)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return spec.parameters.pool is PoolMethod.MAX and len(spec.tops) == 1

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
        parameters, x = self.spec.parameters, bottoms[0]
        if parameters.pool is PoolMethod.STOCHASTIC:
            return (self._stochastic(self._covered(x, 0.0)),)
        maximum, with_places = parameters.pool is PoolMethod.MAX, len(self.spec.tops) > 1
        if all(2 * pad <= kernel for pad, kernel in zip(parameters.pads, self._kernel, strict=True)):
            # Torch rounds and counts as Caffe does, but takes no more padding than this.
            window = (self._kernel, parameters.strides, parameters.pads)
            ceil = parameters.round_mode is RoundMode.CEIL
            if not maximum:
                return (functional.avg_pool2d(x, *window, ceil_mode=ceil),)
            if not with_places:
                return (functional.max_pool2d(x, *window, ceil_mode=ceil),)
            top, places = functional.max_pool2d(x, *window, ceil_mode=ceil, return_indices=True)
            return top, places.to(top.dtype)
        covered = self._covered(x, -torch.inf if maximum else 0.0)
        if not maximum:
            sums = functional.avg_pool2d(covered, self._kernel, parameters.strides, divisor_override=1)
            return (sums / self._window_sizes,)
        top, places = functional.max_pool2d(covered, self._kernel, parameters.strides, return_indices=True)
        width = covered.shape[3]
        rows, columns = places // width - parameters.pads[0], places % width - parameters.pads[1]
        return (top, (rows * self._bottom[1] + columns).to(top.dtype))[:len(self.spec.tops)]

    def _covered(self, x: Tensor, padding: float) -> Tensor:
        """The bottom padded, or cropped, to exactly what the windows cover, so that no rounding is left to torch."""
        margins = []
        for size, count, kernel, stride, pad in zip(self._bottom, self._top, self._kernel, self.spec.parameters.strides,
                                                    self.spec.parameters.pads, strict=True):
            margins.append((pad, (count - 1) * stride + kernel - size - pad))
        return functional.pad(x, (*margins[1], *margins[0]), value=padding)

    def _stochastic(self, covered: Tensor) -> Tensor:
        batch, channels = covered.shape[:2]
        windows = functional.unfold(covered.flatten(0, 1)[:, None], self._kernel, stride=self.spec.parameters.strides)
        sums = windows.cumsum(1)
        if self.training:
            drawn = torch.rand_like(sums[:, -1:]) * sums[:, -1:].detach()
            chosen = (sums >= drawn).int().argmax(1, keepdim=True)
            values = windows.gather(1, chosen)[:, 0]
        else:
            # A window of zeros is 0, not 0 / 0.
            values = windows.square().sum(1) / sums[:, -1].clamp(min=torch.finfo(sums.dtype).tiny)
        return values.reshape(batch, channels, *self._top)


def _repeated(value: int | None) -> tuple[int, ...]:
    return () if value is None else (value,)
