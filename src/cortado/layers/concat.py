"""Concat: several blobs as one, side by side along one axis."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class ConcatParameters:
    """Caffe's ConcatParameter; `concat_dim` is the older spelling of `axis`."""

    axis: int | None = None
    concat_dim: int | None = None

    def __post_init__(self) -> None:
        if self.axis is not None and self.concat_dim is not None:
            raise FieldError("concat_dim", "must not be given beside axis")
        if self.concat_dim is not None and self.concat_dim < 0:
            raise FieldError("concat_dim", f"must be at least 0, not {self.concat_dim}")

    @property
    def along(self) -> int:
        """The axis that grows; negative ones count from the end."""
        given = self.axis if self.concat_dim is None else self.concat_dim
        return 1 if given is None else given


@layer_types.register("Concat")
class Concat(UntrainedLayer):
    """The bottoms one after another along an axis; every other dimension must agree."""

    parameters_type = ConcatParameters
    parameters_field = "concat_param"
    bottom_counts = range(1, 1025)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        first = bottoms[0]
        axis = canonical_axis(spec, spec.parameters.along, first.rank)
        for index, bottom in enumerate(bottoms):
            if bottom.rank != first.rank or _without(bottom, axis) != _without(first, axis):
                raise spec.error(f"bottom {index} '{spec.bottoms[index]}' must agree with bottom '{spec.bottoms[0]}' "
                                 f"({first}) except on axis {axis}, not {bottom}")
        total = sum(bottom.dims[axis] for bottom in bottoms)
        return (TensorShape((*first.dims[:axis], total, *first.dims[axis + 1:])),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.cat(bottoms, self.spec.parameters.along),)


def _without(shape: TensorShape, axis: int) -> tuple[int, ...]:
    return shape.dims[:axis] + shape.dims[axis + 1:]
