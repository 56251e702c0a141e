"""Swish: a value times its own sigmoid."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class SwishParameters:
    """Caffe's SwishParameter."""

    beta: float = 1.0


@layer_types.register("Swish")
class Swish(ElementwiseLayer):
    """x * sigmoid(beta x), any shape. Sources: Ramachandran et al. 2017; Caffe's `swish_layer.cpp`."""

    parameters_type = SwishParameters
    parameters_field = "swish_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (bottoms[0] * (self.spec.parameters.beta * bottoms[0]).sigmoid(),)
