"""MatMul: the matrix product of two blobs."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.broadcast import broadcast_shape
from cortado.layers.layer import Layer, NoParameters, layer_types


@layer_types.register("MatMul")
class MatMul(Layer):
    """The product of the last two axes, every other axis broadcast, as NumPy's `matmul`: a vector is a row on the left
    and a column on the right, and has no such axis in the top."""

    parameters_type = NoParameters
    parameters_field = "matmul_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        left, right = bottoms
        if not left.rank or not right.rank:
            raise spec.error(f"bottoms must have at least one dimension, not {left} and {right}")
        inner = right.dims[-2] if right.rank > 1 else right.dims[0]
        if left.dims[-1] != inner:
            raise spec.error(f"the last axis of bottom '{spec.bottoms[0]}' ({left}) must be as large as the last but "
                             f"one of bottom '{spec.bottoms[1]}' ({right})")
        outer = broadcast_shape(spec, (TensorShape(left.dims[:-2]), TensorShape(right.dims[:-2])))
        rows = left.dims[-2:-1]
        columns = right.dims[-1:] if right.rank > 1 else ()
        return (TensorShape((*outer.dims, *rows, *columns)),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return ()

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return cls.top_shapes(spec, bottoms)[0].count * bottoms[0].dims[-1]

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.matmul(*bottoms),)
