"""QuantizeLinear: real values as whole numbers of few bits."""

from __future__ import annotations

from dataclasses import dataclass, field

import ml_dtypes
import numpy as np
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.element_type import ElementType, cast
from cortado.layers.layer import Layer, layer_types
from cortado.layers.linear_scale import check_scale, spread_scale
from cortado.layers.parameter import ParameterShape


@dataclass(frozen=True, kw_only=True)
class LinearScaleParameters:
    """Of QuantizeLinear and DequantizeLinear: what they make, and the shape of scale and zero point.

    `saturate` is about elements of 8 bits with fractions.
    """

    element: ElementType
    saturate: bool = True
    axis: int = 1
    block_size: int = 0
    shape: ParameterShape = field(default_factory=ParameterShape)

    def __post_init__(self) -> None:
        if self.block_size < 0:
            raise FieldError("block_size", f"must be at least 0, not {self.block_size}")


class LinearScaleLayer(Layer):
    """What both have: blobs scale and zero point, of one shape."""

    parameters_type = LinearScaleParameters

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        check_scale(spec, bottoms[0], parameters.shape.dim, parameters.axis, parameters.block_size)
        return bottoms

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(spec.parameters.shape.dim),) * 2

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Scale 1, zero point 0."""
        return np.ones(shapes[0].dims, np.float32), np.zeros(shapes[1].dims, np.float32)

    def spread_blobs(self, bottom: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and zero point as they broadcast over the bottom."""
        parameters = self.spec.parameters
        axis = parameters.axis % max(bottom.dim(), 1)
        scale, zero_point = (spread_scale(blob, bottom, axis, parameters.block_size) for blob in self.blobs)
        return scale, zero_point


@layer_types.register("QuantizeLinear")
class QuantizeLinear(LinearScaleLayer):
    """x / scale to the nearest value of `element`, half to even, plus the zero point, within its range.

    Blobs: scale, zero point. Source: ONNX, QuantizeLinear; it divides in the bottom's own precision.
    """

    parameters_field = "quantize_linear_param"

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x = bottoms[0]
        element = self.spec.parameters.element
        scale, zero_point = self.spread_blobs(x)
        quotient = x / scale.to(x.dtype)
        if element.is_real:
            return (cast(quotient + zero_point.to(x.dtype), element, saturate=self.spec.parameters.saturate),)
        limits = ml_dtypes.iinfo(element.numpy)
        whole = quotient.round().double() + zero_point
        return (whole.clamp(int(limits.min), int(limits.max)).to(element.torch),)
