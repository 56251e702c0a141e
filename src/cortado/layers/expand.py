"""Expand: axes of size 1 repeated."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.broadcast import broadcast_shape
from cortado.layers.layer import UntrainedLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class ExpandParameters:
    """The sizes of the last axes; 1 leaves an axis as it is."""

    dim: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for index, dim in enumerate(self.dim):
            if dim < 1:
                raise FieldError("dim", f"must be at least 1, not {dim}", index=index)


@layer_types.register("Expand")
class Expand(UntrainedLayer):
    """The bottom broadcast against a blob of shape `dim`, as ONNX's Expand."""

    parameters_type = ExpandParameters
    parameters_field = "expand_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (broadcast_shape(spec, (*bottoms, TensorShape(spec.parameters.dim))),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        bottom = TensorShape(tuple(bottoms[0].shape))
        return (bottoms[0].expand(self.top_shapes(self.spec, (bottom,))[0].dims).contiguous(),)
