"""Where: values of one blob or another."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.broadcast import broadcast_shape
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("Where")
class Where(UntrainedLayer):
    """The second bottom where the first is true, which is any number but 0, else the third; broadcast as NumPy does."""

    parameters_type = NoParameters
    parameters_field = "where_param"
    bottom_counts = range(3, 4)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (broadcast_shape(spec, bottoms),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        condition, one, other = bottoms
        return (torch.where(condition.to(torch.bool), one, other),)
