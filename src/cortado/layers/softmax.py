"""Softmax: exp(x) / sum of exp(x) along one axis."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import CaffeEngine, ElementwiseLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class SoftmaxParameters:
    """Caffe's SoftmaxParameter."""

    axis: int = 1
    engine: CaffeEngine = CaffeEngine.DEFAULT


@layer_types.register("Softmax")
class Softmax(ElementwiseLayer):
    """Probabilities along `axis`; every other axis is an independent softmax."""

    parameters_type = SoftmaxParameters
    parameters_field = "softmax_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        canonical_axis(spec, spec.parameters.axis, bottoms[0].rank)
        return bottoms

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.softmax(bottoms[0], self.spec.parameters.axis),)
