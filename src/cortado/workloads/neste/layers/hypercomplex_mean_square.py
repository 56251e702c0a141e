"""MeanSquare: the penalty on relations."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types
from cortado.workloads.neste.algebra import COMPONENTS


@layer_types.register("HypercomplexMeanSquare")
class HypercomplexMeanSquare(UntrainedLayer):
    """Mean squared lengths of the numbers of all bottoms, added; a scalar. Bottoms: (N, 4 k).

    Source: `regularization` in the authors' models.
    """

    parameters_type = NoParameters
    parameters_field = "mean_square_param"
    bottom_counts = range(1, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.stack([COMPONENTS * bottom.square().mean() for bottom in bottoms]).sum(),)
