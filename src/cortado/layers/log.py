"""Log: the logarithm of shift + scale * x."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types

NATURAL = -1.0


@dataclass(frozen=True, kw_only=True)
class LogParameters:
    """Caffe's LogParameter; base -1 is e."""

    base: float = NATURAL
    scale: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if self.base != NATURAL and (self.base <= 0 or self.base == 1):
            raise FieldError("base", f"must be above 0 and not 1, or -1 for e, not {self.base}")


@layer_types.register("Log")
class Log(ElementwiseLayer):
    """log(shift + scale * x) to the base, any shape."""

    parameters_type = LogParameters
    parameters_field = "log_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        divisor = 1.0 if parameters.base == NATURAL else math.log(parameters.base)
        return ((parameters.shift + parameters.scale * bottoms[0]).log() / divisor,)
