"""ArgMax: where the largest values are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class ArgMaxParameters:
    """Caffe's ArgMaxParameter."""

    out_max_val: bool = False
    top_k: int = 1
    axis: int | None = None

    def __post_init__(self) -> None:
        if self.top_k < 1:
            raise FieldError("top_k", f"must be at least 1, not {self.top_k}")


@layer_types.register("ArgMax")
class ArgMax(UntrainedLayer):
    """The places of the `top_k` largest values, best first, as Caffe's `argmax_layer.cpp`; equal values, last first.

    With `axis` they are along it, and the top has the bottom's shape with `top_k` there: places, or the values where
    `out_max_val` is true. Without it they are over everything but the batch: (N, 1, top_k) places, or (N, 2, top_k)
    places and values, with ones appended up to the bottom's rank.
    """

    parameters_type = ArgMaxParameters
    parameters_field = "argmax_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters, bottom = spec.parameters, bottoms[0]
        if parameters.axis is None:
            if bottom.rank < 1:
                raise spec.error(f"bottom '{spec.bottoms[0]}' must have at least one dimension, not none")
            count = bottom.count // bottom.dims[0]
            dims = (bottom.dims[0], 2 if parameters.out_max_val else 1, parameters.top_k, *(1,) * (bottom.rank - 3))
        else:
            axis = canonical_axis(spec, parameters.axis, bottom.rank)
            count = bottom.dims[axis]
            dims = (*bottom.dims[:axis], parameters.top_k, *bottom.dims[axis + 1:])
        if parameters.top_k > count:
            raise spec.error(f"top_k must be at most the {count} values to choose from, not {parameters.top_k}")
        return (TensorShape(dims),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, x = self.spec.parameters, bottoms[0]
        axis = 1 if parameters.axis is None else parameters.axis
        rows = x.flatten(1) if parameters.axis is None and x.dim() > 1 else x
        if parameters.axis is None and x.dim() == 1:
            rows = x[:, None]
        # Sorted from the end of the axis, so that of equal values the last comes first, as Caffe compares pairs.
        values, places = rows.flip(axis).sort(dim=axis, descending=True, stable=True)
        values = values.narrow(axis, 0, parameters.top_k)
        places = (rows.shape[axis] - 1 - places.narrow(axis, 0, parameters.top_k)).to(x.dtype)
        if parameters.axis is not None:
            return (values if parameters.out_max_val else places,)
        kinds = torch.stack((places, values), 1) if parameters.out_max_val else places[:, None]
        return (kinds.reshape(kinds.shape + (1,) * (x.dim() - 3)),)
