"""Scales and zero points of linear quantisation: one, one for each place of an axis, or one for each block of it.

No layer type lives here.
"""

from __future__ import annotations

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import canonical_axis


def check_scale(spec: LayerSpec, bottom: TensorShape, dims: tuple[int, ...], axis: int, block_size: int) -> None:
    """`LayerError` unless a scale of `dims` is one, one for each of `axis`, or one for each block of it."""
    if not dims:
        return
    axis = canonical_axis(spec, axis, bottom.rank)
    if block_size:
        expected = (*bottom.dims[:axis], -(-bottom.dims[axis] // block_size), *bottom.dims[axis + 1:])
    else:
        expected = (bottom.dims[axis],)
    if dims != expected:
        raise spec.error(f"scale and zero point must be single numbers or of shape {TensorShape(expected)}, not "
                         f"{'x'.join(str(dim) for dim in dims)}")


def spread_scale(values: Tensor, bottom: Tensor, axis: int, block_size: int) -> Tensor:
    """`values` in a shape that torch broadcasts over the bottom."""
    if values.dim() == 0:
        return values
    if block_size:
        return values.repeat_interleave(block_size, axis).narrow(axis, 0, bottom.shape[axis])
    shape = [1] * bottom.dim()
    shape[axis] = -1
    return values.reshape(shape)
