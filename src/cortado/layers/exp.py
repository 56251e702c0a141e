"""Exp: base**(shift + scale * x)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types

NATURAL = -1.0


@dataclass(frozen=True, kw_only=True)
class ExpParameters:
    """Caffe's ExpParameter; base -1 is e."""

    base: float = NATURAL
    scale: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if self.base != NATURAL and self.base <= 0:
            raise FieldError("base", f"must be above 0, or -1 for e, not {self.base}")


@layer_types.register("Exp")
class Exp(ElementwiseLayer):
    """base**(shift + scale * x), any shape."""

    parameters_type = ExpParameters
    parameters_field = "exp_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        factor = 1.0 if parameters.base == NATURAL else math.log(parameters.base)
        return (((parameters.shift + parameters.scale * bottoms[0]) * factor).exp(),)
