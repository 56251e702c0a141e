"""Which axes of its bottom a factor or summand covers, as Scale and Bias take it. No layer type lives here."""

from __future__ import annotations

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import canonical_axis


def span_shape(spec: LayerSpec, bottom: TensorShape, axis: int, num_axes: int) -> TensorShape:
    """Dimensions of `bottom` from `axis` on: `num_axes` of them, all for -1; a scalar for 0."""
    axis = canonical_axis(spec, axis, bottom.rank)
    if num_axes == -1:
        return TensorShape(bottom.dims[axis:])
    if axis + num_axes > bottom.rank:
        raise spec.error(f"axis {axis} and num_axes {num_axes} must be within the {bottom.rank} dimensions of bottom "
                         f"'{spec.bottoms[0]}', {bottom}")
    return TensorShape(bottom.dims[axis:axis + num_axes])


def check_span(spec: LayerSpec, bottoms: tuple[TensorShape, ...], axis: int) -> None:
    """`LayerError` unless the second bottom has the dimensions of the first from `axis` on, or is a scalar."""
    bottom, second = bottoms
    if second.rank == 0:
        return
    start = canonical_axis(spec, axis, bottom.rank)
    if bottom.dims[start:start + second.rank] != second.dims:
        raise spec.error(f"bottom '{spec.bottoms[1]}' must have dimensions of bottom '{spec.bottoms[0]}' ({bottom}) "
                         f"from axis {start} on, not {second}")


def spread(values: Tensor, axis: int, rank: int) -> Tensor:
    """`values` in the shape that lets torch apply them to `rank` dimensions, from `axis` on."""
    if values.dim() == 0:
        return values
    return values.reshape(values.shape + (1,) * (rank - axis % rank - values.dim()))
