"""InnerProduct: a fully connected layer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import CaffeEngine, Layer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class InnerProductParameters:
    """Caffe's InnerProductParameter, and `engine` of the paper's fork."""

    num_output: int
    bias_term: bool = True
    weight_filler: Filler = field(default_factory=Filler)
    bias_filler: Filler = field(default_factory=Filler)
    axis: int = 1
    transpose: bool = False
    engine: CaffeEngine = CaffeEngine.DEFAULT

    def __post_init__(self) -> None:
        if self.num_output < 1:
            raise FieldError("num_output", f"must be at least 1, not {self.num_output}")


@layer_types.register("InnerProduct")
class InnerProduct(Layer):
    """y = x W^T + b, where x is the bottom with `axis` and all after it flattened to C values.

    (d0, ..., d(axis-1), ...) -> (d0, ..., d(axis-1), K). Blobs: weight (K, C), or (C, K) with `transpose`; bias (K,)
    unless `bias_term` is false.
    """

    parameters_type = InnerProductParameters
    parameters_field = "inner_product_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        axis = canonical_axis(spec, spec.parameters.axis, bottoms[0].rank)
        return (TensorShape((*bottoms[0].dims[:axis], spec.parameters.num_output)),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        axis = canonical_axis(spec, parameters.axis, bottoms[0].rank)
        dims = (parameters.num_output, math.prod(bottoms[0].dims[axis:]))
        weight = TensorShape(dims[::-1] if parameters.transpose else dims)
        return (weight, TensorShape((parameters.num_output,))) if parameters.bias_term else (weight,)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[0].count * spec.parameters.num_output

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        # In one order in memory, so that both spellings add in one order.
        weight = self.blobs[0].T.contiguous() if parameters.transpose else self.blobs[0]
        axis = canonical_axis(self.spec, parameters.axis, bottoms[0].dim())
        return (functional.linear(bottoms[0].flatten(axis), weight, self.blobs[1] if parameters.bias_term else None),)
