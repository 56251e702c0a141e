"""Sigmoid: 1 / (1 + exp(-x))."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import CaffeEngine, ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class SigmoidParameters:
    """Caffe's SigmoidParameter."""

    engine: CaffeEngine = CaffeEngine.DEFAULT


@layer_types.register("Sigmoid")
class Sigmoid(ElementwiseLayer):
    """The logistic function, any shape."""

    parameters_type = SigmoidParameters
    parameters_field = "sigmoid_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.sigmoid(bottoms[0]),)
