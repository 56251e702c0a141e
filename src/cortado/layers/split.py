"""Split: one value under several names."""

from __future__ import annotations

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("Split")
class Split(UntrainedLayer):
    """Each top is the bottom. Caffe inserts it where a blob has several readers; here a blob may have any number."""

    parameters_type = NoParameters
    parameters_field = "split_param"
    top_counts = range(1, 1025)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return bottoms * len(spec.tops)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return bottoms * len(self.spec.tops)
