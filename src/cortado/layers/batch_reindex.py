"""BatchReindex: pictures of the batch chosen by number."""

from __future__ import annotations

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("BatchReindex")
class BatchReindex(UntrainedLayer):
    """Bottoms: x (N, ...) and numbers of pictures (M,). Top: those pictures, (M, ...), as often as they are named.

    Source: Caffe's `batch_reindex_layer.cpp`.
    """

    parameters_type = NoParameters
    parameters_field = "batch_reindex_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        x, numbers = bottoms
        if x.rank < 1 or numbers.rank != 1:
            raise spec.error(f"bottom '{spec.bottoms[1]}' must be numbers of pictures of bottom '{spec.bottoms[0]}' in "
                             f"one dimension, not {numbers}")
        return (TensorShape((numbers.dims[0], *x.dims[1:])),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x, numbers = bottoms[0], bottoms[1].long()
        if numbers.numel() and (int(numbers.min()) < 0 or int(numbers.max()) >= len(x)):
            raise self.spec.error(f"numbers of pictures must be from 0 to {len(x) - 1}, bottom "
                                  f"'{self.spec.bottoms[1]}' has {int(numbers.min())} to {int(numbers.max())}")
        return (x.index_select(0, numbers),)
