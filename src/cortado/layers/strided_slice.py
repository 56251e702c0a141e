"""StridedSlice: a part of a blob."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class StridedSliceParameters:
    """Along each `axis`, `count` values from `start` on, every `step`-th; a negative step goes backwards."""

    axis: tuple[int, ...] = ()
    start: tuple[int, ...] = ()
    count: tuple[int, ...] = ()
    step: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("start", "count", "step"):
            if len(getattr(self, name)) != len(self.axis):
                raise FieldError(name, f"must have one value for each of {len(self.axis)} axes, "
                                       f"not {len(getattr(self, name))}")
        if len(set(self.axis)) != len(self.axis):
            raise FieldError("axis", "must name each axis once")
        for name, least in (("axis", 0), ("start", 0), ("count", 1)):
            for index, value in enumerate(getattr(self, name)):
                if value < least:
                    raise FieldError(name, f"must be at least {least}, not {value}", index=index)
        for index, step in enumerate(self.step):
            if step == 0:
                raise FieldError("step", "must not be 0", index=index)


@layer_types.register("StridedSlice")
class StridedSlice(UntrainedLayer):
    """A part of the bottom, as ONNX's Slice and Python's `x[start:end:step]`; axes not named are whole."""

    parameters_type = StridedSliceParameters
    parameters_field = "strided_slice_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters, dims = spec.parameters, list(bottoms[0].dims)
        for axis, start, count, step in zip(parameters.axis, parameters.start, parameters.count, parameters.step,
                                            strict=True):
            if axis >= len(dims):
                raise spec.error(f"axis must be below the {len(dims)} of bottom '{spec.bottoms[0]}', not {axis}")
            last = start + (count - 1) * step
            if not 0 <= last < dims[axis] or start >= dims[axis]:
                raise spec.error(f"the slice must be within the {dims[axis]} of axis {axis} of bottom "
                                 f"'{spec.bottoms[0]}', it is from {start} to {last}")
            dims[axis] = count
        return (TensorShape(tuple(dims)),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, x = self.spec.parameters, bottoms[0]
        for axis, start, count, step in zip(parameters.axis, parameters.start, parameters.count, parameters.step,
                                            strict=True):
            if step > 0:
                x = x[(slice(None),) * axis + (slice(start, start + (count - 1) * step + 1, step),)]
            else:
                x = x.index_select(axis, start + step * torch.arange(count))
        return (x.contiguous(),)
