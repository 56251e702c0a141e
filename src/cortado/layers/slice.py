"""Slice: one blob as several, cut along one axis."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class SliceParameters:
    """Caffe's SliceParameter; `slice_dim` is the older spelling of `axis`."""

    axis: int | None = None
    slice_point: tuple[int, ...] = ()
    slice_dim: int | None = None

    def __post_init__(self) -> None:
        if self.axis is not None and self.slice_dim is not None:
            raise FieldError("slice_dim", "must not be given beside axis")
        if self.slice_dim is not None and self.slice_dim < 0:
            raise FieldError("slice_dim", f"must be at least 0, not {self.slice_dim}")
        for index, (before, point) in enumerate(pairwise((0, *self.slice_point))):
            if point <= before:
                raise FieldError("slice_point", f"must be greater than {before}, not {point}", index=index)

    @property
    def along(self) -> int:
        """The axis that is cut; negative ones count from the end."""
        given = self.axis if self.slice_dim is None else self.slice_dim
        return 1 if given is None else given


@layer_types.register("Slice")
class Slice(UntrainedLayer):
    """The bottom cut before each `slice_point` of an axis, or into equal tops where there are none."""

    parameters_type = SliceParameters
    parameters_field = "slice_param"
    top_counts = range(1, 1025)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        dims = bottoms[0].dims
        axis = canonical_axis(spec, spec.parameters.along, len(dims))
        return tuple(TensorShape((*dims[:axis], size, *dims[axis + 1:])) for size in cls._sizes(spec, dims[axis], axis))

    @staticmethod
    def _sizes(spec: LayerSpec, size: int, axis: int) -> tuple[int, ...]:
        """How much of `size` each top gets."""
        points, tops = spec.parameters.slice_point, len(spec.tops)
        if not points:
            if size % tops:
                raise spec.error(f"axis {axis} of bottom '{spec.bottoms[0]}' must be a multiple of its {tops} tops, "
                                 f"not {size}; slice_point cuts unequally")
            return (size // tops,) * tops
        if len(points) != tops - 1:
            raise spec.error(f"slice_point must have one value fewer than the {tops} tops, not {len(points)}")
        if points[-1] >= size:
            raise spec.error(f"slice_point must be below the {size} of axis {axis} of bottom '{spec.bottoms[0]}', "
                             f"not {points[-1]}")
        return tuple(end - begin for begin, end in pairwise((0, *points, size)))

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        axis = canonical_axis(self.spec, self.spec.parameters.along, bottoms[0].dim())
        return torch.split(bottoms[0], self._sizes(self.spec, bottoms[0].shape[axis], axis), axis)
