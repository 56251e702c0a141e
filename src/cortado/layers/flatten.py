"""Flatten: several axes as one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class FlattenParameters:
    """Caffe's FlattenParameter; negative axes count from the end."""

    axis: int = 1
    end_axis: int = -1


@layer_types.register("Flatten")
class Flatten(UntrainedLayer):
    """The axes from `axis` to `end_axis`, both included, become one; the values keep their order."""

    parameters_type = FlattenParameters
    parameters_field = "flatten_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        dims = bottoms[0].dims
        first = canonical_axis(spec, spec.parameters.axis, len(dims))
        last = canonical_axis(spec, spec.parameters.end_axis, len(dims))
        if first > last:
            raise spec.error(f"end_axis must not be before axis {first}, it is {last}")
        return (TensorShape((*dims[:first], math.prod(dims[first:last + 1]), *dims[last + 1:])),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (bottoms[0].flatten(self.spec.parameters.axis, self.spec.parameters.end_axis),)
