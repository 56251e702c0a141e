"""BNLL: the binomial normal log likelihood, a smooth ReLU."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, NoParameters, layer_types


@layer_types.register("BNLL")
class BNLL(ElementwiseLayer):
    """log(1 + exp(x)), any shape, as Caffe's `bnll_layer.cpp`."""

    parameters_type = NoParameters
    parameters_field = "bnll_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.logaddexp(bottoms[0], torch.zeros_like(bottoms[0])),)
