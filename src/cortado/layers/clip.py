"""Clip: values within two bounds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class ClipParameters:
    """Caffe's ClipParameter."""

    min: float
    max: float

    def __post_init__(self) -> None:
        if self.min > self.max:
            raise FieldError("min", f"must be at most max {self.max}, not {self.min}")


@layer_types.register("Clip")
class Clip(ElementwiseLayer):
    """min(max(x, `min`), `max`), any shape, as Caffe's `clip_layer.cpp`: on the bounds the gradient passes."""

    parameters_type = ClipParameters
    parameters_field = "clip_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (bottoms[0].clamp(self.spec.parameters.min, self.spec.parameters.max),)
