"""Reduce: axes become one value each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types


class ReduceOperation(Enum):
    """What the values along the axes become."""

    SUM = 0
    MEAN = 1
    MAX = 2
    MIN = 3
    PROD = 4
    L1 = 5
    L2 = 6
    LOG_SUM = 7
    LOG_SUM_EXP = 8
    SUM_SQUARE = 9


@dataclass(frozen=True, kw_only=True)
class ReduceParameters:
    """Which axes, and whether they stay with size 1."""

    operation: ReduceOperation
    axis: tuple[int, ...] = ()
    keep_dims: bool = True

    def __post_init__(self) -> None:
        check_axes(self.axis)


def check_axes(axes: tuple[int, ...]) -> None:
    """`FieldError` unless they are different ones, counted from the front."""
    for index, axis in enumerate(axes):
        if axis < 0 or axis in axes[:index]:
            raise FieldError("axis", f"must be different axes of at least 0, not {axis}", index=index)


def reduced_shape(spec: LayerSpec, bottom: TensorShape, axes: tuple[int, ...], keep_dims: bool) -> TensorShape:
    """`bottom` with `axes` of size 1, or without them."""
    if axes and max(axes) >= bottom.rank:
        raise spec.error(f"axis must be below the {bottom.rank} of bottom '{spec.bottoms[0]}', not {max(axes)}")
    if keep_dims:
        return TensorShape(tuple(1 if axis in axes else size for axis, size in enumerate(bottom.dims)))
    return TensorShape(tuple(size for axis, size in enumerate(bottom.dims) if axis not in axes))


@layer_types.register("Reduce")
class Reduce(UntrainedLayer):
    """One value for all along the axes, as ONNX's Reduce operators; without an axis each value is by itself."""

    parameters_type = ReduceParameters
    parameters_field = "reduce_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (reduced_shape(spec, bottoms[0], spec.parameters.axis, spec.parameters.keep_dims),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return spec.parameters.operation in (ReduceOperation.MAX, ReduceOperation.MIN)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, x = self.spec.parameters, bottoms[0]
        rest = [axis for axis in range(x.dim()) if axis not in parameters.axis]
        # Behind all others and flat, so that one axis is left and no axis at all means no value but each itself.
        rows = x.permute(*rest, *parameters.axis).reshape(*(x.shape[axis] for axis in rest), -1)
        result = _FUNCTIONS[parameters.operation](rows).to(x.dtype)
        if parameters.keep_dims:
            result = result.reshape([1 if axis in parameters.axis else size for axis, size in enumerate(x.shape)])
        return (result,)


def _mean(rows: Tensor) -> Tensor:
    return rows.mean(-1) if rows.is_floating_point() else rows.double().mean(-1).trunc()


_FUNCTIONS: dict[ReduceOperation, Callable[[Tensor], Tensor]] = {
    ReduceOperation.SUM: lambda rows: rows.sum(-1), ReduceOperation.MEAN: _mean,
    ReduceOperation.MAX: lambda rows: rows.amax(-1), ReduceOperation.MIN: lambda rows: rows.amin(-1),
    ReduceOperation.PROD: lambda rows: rows.prod(-1), ReduceOperation.L1: lambda rows: rows.abs().sum(-1),
    ReduceOperation.L2: lambda rows: (rows * rows).sum(-1).sqrt(),
    ReduceOperation.LOG_SUM: lambda rows: rows.sum(-1).log(),
    ReduceOperation.LOG_SUM_EXP: lambda rows: (rows if rows.is_floating_point() else rows.double()).logsumexp(-1),
    ReduceOperation.SUM_SQUARE: lambda rows: (rows * rows).sum(-1),
}
