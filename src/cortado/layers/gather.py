"""Gather: values at given places along an axis."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class GatherParameters:
    """Along which axis the places are."""

    axis: int = 0


@layer_types.register("Gather")
class Gather(UntrainedLayer):
    """The first bottom with its `axis` replaced by the axes of the second, places along it, as ONNX's Gather.

    Negative places count from the end. A place that is not there is a `LayerError` when the layer runs.
    """

    parameters_type = GatherParameters
    parameters_field = "gather_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        values, places = bottoms
        axis = canonical_axis(spec, spec.parameters.axis, values.rank)
        return (TensorShape((*values.dims[:axis], *places.dims, *values.dims[axis + 1:])),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        values, places = bottoms
        axis = canonical_axis(self.spec, self.spec.parameters.axis, values.dim())
        size = values.shape[axis]
        places = places.long()
        if bool(((places < -size) | (places >= size)).any()):
            raise self.spec.error(f"places must be from {-size} to {size - 1} along axis {axis} of bottom "
                                  f"'{self.spec.bottoms[0]}'")
        taken = values.index_select(axis, (places % size).reshape(-1))
        return (taken.reshape((*values.shape[:axis], *places.shape, *values.shape[axis + 1:])),)
