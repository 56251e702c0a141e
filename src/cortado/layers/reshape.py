"""Reshape: the same values in other dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types

INFERRED = -1
COPIED = 0


@dataclass(frozen=True, kw_only=True)
class NewShape:
    """Caffe's BlobShape as Reshape reads it: 0 copies the bottom's dimension of that place, one -1 takes the rest."""

    dim: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for index, dim in enumerate(self.dim):
            if dim < INFERRED:
                raise FieldError("dim", f"must be at least 1, 0 to copy or -1 to infer, not {dim}", index=index)
        if self.dim.count(INFERRED) > 1:
            raise FieldError("dim", f"must have at most one -1, not {self.dim.count(INFERRED)}",
                             index=[index for index, dim in enumerate(self.dim) if dim == INFERRED][1])


@dataclass(frozen=True, kw_only=True)
class ReshapeParameters:
    """Caffe's ReshapeParameter."""

    shape: NewShape = field(default_factory=NewShape)
    axis: int = 0
    num_axes: int = -1

    def __post_init__(self) -> None:
        if self.num_axes < -1:
            raise FieldError("num_axes", f"must be at least 0, or -1 for all, not {self.num_axes}")


@layer_types.register("Reshape")
class Reshape(UntrainedLayer):
    """The bottom with `num_axes` of its axes, from `axis` on, replaced by those of `shape`.

    A negative axis counts from behind the last one: -1 appends. As Caffe's `reshape_layer.cpp`.
    """

    parameters_type = ReshapeParameters
    parameters_field = "reshape_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(cls._dims(spec, bottoms[0].dims)),)

    @staticmethod
    def _dims(spec: LayerSpec, bottom: tuple[int, ...]) -> tuple[int, ...]:
        """The dimensions of the top over a bottom of these."""
        parameters, rank = spec.parameters, len(bottom)
        if not -rank - 1 <= parameters.axis <= rank:
            raise spec.error(f"axis must be from {-rank - 1} to {rank} for a bottom of {rank} dimensions, "
                             f"not {parameters.axis}")
        start = parameters.axis if parameters.axis >= 0 else rank + parameters.axis + 1
        end = rank if parameters.num_axes == -1 else start + parameters.num_axes
        if end > rank:
            raise spec.error(f"axis {start} and num_axes {parameters.num_axes} must be within the {rank} dimensions of "
                             f"bottom '{spec.bottoms[0]}'")
        new = list(parameters.shape.dim)
        for index, dim in enumerate(new):
            if dim == COPIED:
                if start + index >= rank:
                    raise spec.error(f"dim {index} of the shape must not be 0: bottom '{spec.bottoms[0]}' has no axis "
                                     f"{start + index} to copy")
                new[index] = bottom[start + index]
        count, fixed = math.prod(bottom), (*bottom[:start], *bottom[end:])
        if INFERRED in new:
            known = math.prod(fixed) * math.prod(dim for dim in new if dim != INFERRED)
            if count % known:
                raise spec.error(f"the {count} values of bottom '{spec.bottoms[0]}' must be a multiple of the "
                                 f"{known} that the other dimensions take")
            new[new.index(INFERRED)] = count // known
        dims = (*bottom[:start], *new, *bottom[end:])
        if math.prod(dims) != count:
            words = "x".join(str(dim) for dim in dims) or "scalar"
            raise spec.error(f"the new shape {words} must have the {count} values of bottom '{spec.bottoms[0]}', "
                             f"not {math.prod(dims)}")
        return dims

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (bottoms[0].reshape(self._dims(self.spec, tuple(bottoms[0].shape))),)
