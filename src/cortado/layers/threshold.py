"""Threshold: which values are above one."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class ThresholdParameters:
    """Caffe's ThresholdParameter."""

    threshold: float = 0.0


@layer_types.register("Threshold")
class Threshold(ElementwiseLayer):
    """1 where x is above `threshold`, 0 elsewhere, any shape. It has no gradient. Source: Caffe's
    `threshold_layer.cpp`.
    """

    parameters_type = ThresholdParameters
    parameters_field = "threshold_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return ((bottoms[0] > self.spec.parameters.threshold).to(bottoms[0].dtype),)
