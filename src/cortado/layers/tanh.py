"""TanH: the hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import CaffeEngine, ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class TanHParameters:
    """Caffe's TanHParameter."""

    engine: CaffeEngine = CaffeEngine.DEFAULT


@layer_types.register("TanH")
class TanH(ElementwiseLayer):
    """tanh(x), any shape."""

    parameters_type = TanHParameters
    parameters_field = "tanh_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.tanh(bottoms[0]),)
