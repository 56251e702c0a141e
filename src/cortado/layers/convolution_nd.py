"""ConvolutionND: a convolution, or the transpose of one, over one or three spatial axes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import Layer, layer_types


@dataclass(frozen=True, kw_only=True)
class ConvolutionNDParameters:
    """One number for each axis behind (N, C)."""

    num_output: int
    bias_term: bool = True
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    group: int = 1
    transposed: bool = False

    def __post_init__(self) -> None:
        if len(self.kernel) not in (1, 2, 3):
            raise FieldError("kernel", f"must have one to three values, not {len(self.kernel)}")
        for name in ("kernel", "stride", "dilation"):
            values = getattr(self, name)
            if len(values) != len(self.kernel):
                raise FieldError(name, f"must have one value for each of {len(self.kernel)} axes, not {len(values)}")
            for index, value in enumerate(values):
                if not 1 <= value <= 2**20:
                    raise FieldError(name, f"must be from 1 to {2**20}, not {value}", index=index)
        if self.group < 1 or self.num_output < 1 or self.num_output % self.group:
            raise FieldError("group", f"must be at least 1 and divide num_output {self.num_output}, not {self.group}")


@layer_types.register("ConvolutionND")
class ConvolutionND(Layer):
    """(N, C, D1, ...) -> (N, K, ...) without padding, which Pad gives; two axes are Convolution and Deconvolution.

    Blobs: weight (K, C / group, kernel), or (C, K / group, kernel) where `transposed`; bias (K,) unless `bias_term` is
    false.
    """

    parameters_type = ConvolutionNDParameters
    parameters_field = "convolution_nd_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters, bottom = spec.parameters, bottoms[0]
        if bottom.rank != len(parameters.kernel) + 2 or bottom.dims[1] % parameters.group:
            raise spec.error(f"bottom '{spec.bottoms[0]}' must have {len(parameters.kernel) + 2} dimensions, the "
                             f"second a multiple of group {parameters.group}, not {bottom}")
        sizes = []
        for size, kernel, stride, dilation in zip(bottom.dims[2:], parameters.kernel, parameters.stride,
                                                  parameters.dilation, strict=True):
            extent = dilation * (kernel - 1) + 1
            if parameters.transposed:
                sizes.append(stride * (size - 1) + extent)
                continue
            if size < extent:
                raise spec.error(f"bottom '{spec.bottoms[0]}' must be at least the kernel's {extent} along each axis, "
                                 f"not {size}")
            sizes.append((size - extent) // stride + 1)
        return (TensorShape((bottom.dims[0], parameters.num_output, *sizes)),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters, channels = spec.parameters, bottoms[0].dims[1]
        outer, inner = (channels, parameters.num_output) if parameters.transposed else (parameters.num_output, channels)
        weight = TensorShape((outer, inner // parameters.group, *parameters.kernel))
        return (weight, TensorShape((parameters.num_output,))) if parameters.bias_term else (weight,)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        windows = bottoms[0] if spec.parameters.transposed else cls.top_shapes(spec, bottoms)[0]
        return windows.dims[0] * math.prod(windows.dims[2:]) * cls.blob_shapes(spec, bottoms)[0].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        plain = (functional.conv1d, functional.conv2d, functional.conv3d)
        transposed = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)
        convolve = (transposed if parameters.transposed else plain)[len(parameters.kernel) - 1]
        bias = self.blobs[1] if parameters.bias_term else None
        return (convolve(bottoms[0], self.blobs[0], bias, stride=parameters.stride, groups=parameters.group,
                         dilation=parameters.dilation),)
