"""CorruptedSquare: the penalty on the ends of facts and corrupted facts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.workloads.neste.algebra import COMPONENTS


@dataclass(frozen=True, kw_only=True)
class CorruptedSquareParameters:
    """`components` of a number: the mean of squares is taken for each, and these are added."""

    components: int = COMPONENTS

    def __post_init__(self) -> None:
        if self.components < 1:
            raise FieldError("components", f"must be at least 1, not {self.components}")


@layer_types.register("CorruptedSquare")
class CorruptedSquare(UntrainedLayer):
    """Mean squares of the heads and of the tails of every fact and every corrupted one, added; a scalar.

    Bottoms: heads and tails (N, W), replacements (N, K, W), whether each replaces the head (N, K). A head counts once
    for its fact and once for every corrupted fact that keeps it. Source: `regularization` in the authors' models,
    which writes these N (1 + K) facts out.
    """

    parameters_type = CorruptedSquareParameters
    parameters_field = "corrupted_square_param"
    bottom_counts = range(4, 5)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        heads, tails, replacements, replaces_head = bottoms
        new_heads = replaces_head.sum(1)
        keeps_head, keeps_tail = 1 + replaces_head.shape[1] - new_heads, 1 + new_heads
        total = ((heads.square().sum(1) * keeps_head).sum() + (tails.square().sum(1) * keeps_tail).sum()
                 # By its root: of the many replacements no squares are kept.
                 + torch.linalg.vector_norm(replacements).square())
        facts = len(heads) * (1 + replaces_head.shape[1])
        return (total * self.spec.parameters.components / (facts * heads.shape[1]),)
