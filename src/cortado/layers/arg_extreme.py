"""ArgExtreme: where the largest or least value is, as a whole number."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.layers.reduce import reduced_shape


@dataclass(frozen=True, kw_only=True)
class ArgExtremeParameters:
    """Along which axis; of equal values the first counts, or the last."""

    axis: int = 0
    largest: bool = True
    last: bool = False
    keep_dims: bool = True

    def __post_init__(self) -> None:
        if self.axis < 0:
            raise FieldError("axis", f"must be at least 0, not {self.axis}")


@layer_types.register("ArgExtreme")
class ArgExtreme(UntrainedLayer):
    """The place, INT64, of the largest or least value along an axis, as ONNX's ArgMax and ArgMin.

    Caffe's ArgMax differs: its places are float, and of equal values the last comes first.
    """

    parameters_type = ArgExtremeParameters
    parameters_field = "arg_extreme_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (reduced_shape(spec, bottoms[0], (spec.parameters.axis,), spec.parameters.keep_dims),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, x = self.spec.parameters, bottoms[0]
        axis = parameters.axis
        # A stable order has equal values as they stood.
        order = (x.flip(axis) if parameters.last else x).sort(dim=axis, descending=parameters.largest, stable=True)
        places = order.indices.narrow(axis, 0, 1)
        if parameters.last:
            places = x.shape[axis] - 1 - places
        return (places if parameters.keep_dims else places.squeeze(axis),)
