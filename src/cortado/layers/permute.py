"""Permute: the axes in another order."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class PermuteParameters:
    """The SSD fork's PermuteParameter: `order` has the bottom's axis for each axis of the top."""

    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if sorted(self.order) != list(range(len(self.order))):
            raise FieldError("order", f"must name each axis from 0 on once, not be {list(self.order)[:8]}")


@layer_types.register("Permute")
class Permute(UntrainedLayer):
    """The bottom with its axes in another order, as `permute_layer.cpp` of the SSD fork of Caffe."""

    parameters_type = PermuteParameters
    parameters_field = "permute_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        order, dims = spec.parameters.order, bottoms[0].dims
        if len(order) != len(dims):
            raise spec.error(f"order must name each of the {len(dims)} axes of bottom '{spec.bottoms[0]}', "
                             f"not {len(order)}")
        return (TensorShape(tuple(dims[axis] for axis in order)),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (bottoms[0].permute(self.spec.parameters.order).contiguous(),)
