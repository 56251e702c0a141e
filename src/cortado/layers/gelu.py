"""Gelu: x * Phi(x), a layer type Caffe does not have.

`layer { type: "Gelu" gelu_param { approximate: TANH } ... }`
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torch import Tensor
from torch.nn import functional

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types


class Approximation(Enum):
    """How Phi, the normal distribution function, is computed."""

    NONE = 0
    TANH = 1


@dataclass(frozen=True, kw_only=True)
class GeluParameters:
    """Parameters of Gelu."""

    approximate: Approximation = Approximation.NONE


@layer_types.register("Gelu")
class Gelu(ElementwiseLayer):
    """Gaussian error linear unit, any shape. Source: Hendrycks & Gimpel 2016, section 2."""

    parameters_type = GeluParameters
    parameters_field = "gelu_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (functional.gelu(bottoms[0], approximate=self.spec.parameters.approximate.name.lower()),)
