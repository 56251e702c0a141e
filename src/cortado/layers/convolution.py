"""Convolution over (N, C, H, W): groups, dilation, rectangular kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import CaffeEngine, Layer, layer_types
from cortado.layers.window import picture_dims, window_pair


class Subengine(Enum):
    """The FPGA engine asked for in the paper's fork of Caffe."""

    DIRECT = 0
    WINOGRAD = 1


@dataclass(frozen=True, kw_only=True)
class WindowParameters:
    """What of Caffe's ConvolutionParameter says where the kernel is put, for two spatial dimensions."""

    pad: tuple[int, ...] = ()
    pad_h: int | None = None
    pad_w: int | None = None
    kernel_size: tuple[int, ...] = ()
    kernel_h: int | None = None
    kernel_w: int | None = None
    stride: tuple[int, ...] = ()
    stride_h: int | None = None
    stride_w: int | None = None
    dilation: tuple[int, ...] = ()
    axis: int = 1
    force_nd_im2col: bool = False

    def __post_init__(self) -> None:
        if self.axis not in (1, -3):
            raise FieldError("axis", f"must be 1, the channels of (N, C, H, W), not {self.axis}")
        # Each property checks its own fields when it is asked.
        _ = self.kernel, self.strides, self.pads, self.dilations

    @property
    def kernel(self) -> tuple[int, int]:
        """(height, width) of the kernel before dilation."""
        return window_pair("kernel_size", self.kernel_size, self.kernel_h, self.kernel_w,
                           short="kernel", default=None, least=1)

    @property
    def strides(self) -> tuple[int, int]:
        """(vertical, horizontal) steps."""
        return window_pair("stride", self.stride, self.stride_h, self.stride_w, short="stride", default=1, least=1)

    @property
    def pads(self) -> tuple[int, int]:
        """(top and bottom, left and right) rows and columns of zeros."""
        return window_pair("pad", self.pad, self.pad_h, self.pad_w, short="pad", default=0, least=0)

    @property
    def dilations(self) -> tuple[int, int]:
        """(vertical, horizontal) distance between neighbouring taps."""
        return window_pair("dilation", self.dilation, None, None, short="dilation", default=1, least=1)


@dataclass(frozen=True, kw_only=True)
class ConvolutionParameters(WindowParameters):
    """Caffe's ConvolutionParameter for two spatial dimensions; `engine` and `subengine` are hints for the planner."""

    num_output: int
    bias_term: bool = True
    group: int = 1
    weight_filler: Filler = field(default_factory=Filler)
    bias_filler: Filler = field(default_factory=Filler)
    engine: CaffeEngine = CaffeEngine.DEFAULT
    subengine: Subengine | None = None

    def __post_init__(self) -> None:
        for name in ("num_output", "group"):
            value = getattr(self, name)
            if value < 1:
                raise FieldError(name, f"must be at least 1, not {value}")
        if self.num_output % self.group:
            raise FieldError("num_output", f"must be a multiple of group {self.group}, not {self.num_output}")
        super().__post_init__()


def grouped_picture_dims(spec: LayerSpec, bottom: TensorShape) -> tuple[int, int, int, int]:
    """(N, C, H, W) of a bottom whose channels divide into the layer's groups; `LayerError` if they do not."""
    dims = picture_dims(spec, bottom)
    if dims[1] % spec.parameters.group:
        raise spec.error(f"the channels of bottom '{spec.bottoms[0]}' must be a multiple of "
                         f"group {spec.parameters.group}, not {dims[1]}")
    return dims


def window_counts(spec: LayerSpec, bottom: TensorShape) -> tuple[int, int]:
    """How many places the kernel has in each direction on (N, C, H, W); `LayerError` where it has none."""
    parameters = spec.parameters
    sizes = []
    for side, size, kernel, stride, pad, dilation in zip(
            ("height", "width"), bottom.dims[2:], parameters.kernel, parameters.strides, parameters.pads,
            parameters.dilations, strict=True):
        extent = dilation * (kernel - 1) + 1
        if size + 2 * pad < extent:
            raise spec.error(f"the padded {side} of bottom '{spec.bottoms[0]}' must be at least the kernel's "
                             f"{extent}, not {size + 2 * pad}")
        sizes.append((size + 2 * pad - extent) // stride + 1)
    return sizes[0], sizes[1]


@layer_types.register("Convolution")
class Convolution(Layer):
    """Cross-correlation with zero padding, as Caffe's `conv_layer.cpp`: (N, C, H, W) -> (N, K, OH, OW).

    Sizes round down. Blobs: weight (K, C / group, kernel height, kernel width), bias (K,) unless `bias_term` is false.
    """

    parameters_type = ConvolutionParameters
    parameters_field = "convolution_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        batch = grouped_picture_dims(spec, bottoms[0])[0]
        return (TensorShape((batch, spec.parameters.num_output, *window_counts(spec, bottoms[0]))),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        weight = TensorShape((parameters.num_output, bottoms[0].dims[1] // parameters.group, *parameters.kernel))
        return (weight, TensorShape((parameters.num_output,))) if parameters.bias_term else (weight,)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        batch, _, height, width = cls.top_shapes(spec, bottoms)[0].dims
        return batch * height * width * cls.blob_shapes(spec, bottoms)[0].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, x = self.spec.parameters, bottoms[0]
        # Whole numbers that ONNX multiplies come as double, in which their sums are exact.
        weight, *bias = (blob.to(x.dtype) for blob in self.blobs)
        return (functional.conv2d(x, weight, bias[0] if bias else None, parameters.strides, parameters.pads,
                                  parameters.dilations, parameters.group),)
