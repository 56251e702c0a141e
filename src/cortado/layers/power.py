"""Power: (shift + scale * x)**power."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class PowerParameters:
    """Caffe's PowerParameter."""

    power: float = 1.0
    scale: float = 1.0
    shift: float = 0.0


@layer_types.register("Power")
class Power(ElementwiseLayer):
    """(shift + scale * x)**power, any shape; a broken power of a negative number is not a number, as in Caffe."""

    parameters_type = PowerParameters
    parameters_field = "power_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return spec.parameters == PowerParameters()

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        inner = parameters.shift + parameters.scale * bottoms[0]
        return (inner if parameters.power == 1 else inner.pow(parameters.power),)
