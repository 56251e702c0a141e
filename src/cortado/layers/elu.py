"""ELU: x above zero, alpha * (exp(x) - 1) below."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class ELUParameters:
    """Caffe's ELUParameter."""

    alpha: float = 1.0


@layer_types.register("ELU")
class ELU(ElementwiseLayer):
    """Exponential linear unit, any shape. Source: Clevert et al. 2015, equation 15."""

    parameters_type = ELUParameters
    parameters_field = "elu_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (functional.elu(bottoms[0], self.spec.parameters.alpha),)
