"""EuclideanLoss: half the mean squared distance of two blobs."""

from __future__ import annotations

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("EuclideanLoss")
class EuclideanLoss(UntrainedLayer):
    """sum of (a - b)**2 / (2 N) for bottoms (N, ...) of as many values each; the top is a scalar."""

    parameters_type = NoParameters
    parameters_field = "euclidean_loss_param"
    bottom_counts = range(2, 3)
    default_loss_weights = (1.0,)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        first, second = bottoms
        if first.dims[:1] != second.dims[:1] or first.count != second.count:
            raise spec.error(f"bottom '{spec.bottoms[1]}' must have as many pictures and values as bottom "
                             f"'{spec.bottoms[0]}' ({first}), not {second}")
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        difference = bottoms[0].flatten() - bottoms[1].flatten()
        return (difference.square().sum() / (2 * len(bottoms[0])),)
