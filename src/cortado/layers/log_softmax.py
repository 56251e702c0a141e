"""LogSoftmax: the logarithm of a softmax along one axis."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class LogSoftmaxParameters:
    """Along which axis."""

    axis: int = 1


@layer_types.register("LogSoftmax")
class LogSoftmax(ElementwiseLayer):
    """x - log(sum of exp(x)) along `axis`; every other axis is by itself."""

    parameters_type = LogSoftmaxParameters
    parameters_field = "log_softmax_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        canonical_axis(spec, spec.parameters.axis, bottoms[0].rank)
        return bottoms

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.log_softmax(bottoms[0], self.spec.parameters.axis),)
