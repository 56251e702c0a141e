"""CorruptedScore: scores of facts and of the same facts with one end replaced."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("CorruptedScore")
class CorruptedScore(UntrainedLayer):
    """Of each fact its score, and those with another head or tail.

    Bottoms: the vector that asks for the tail and the one that asks for the head, (N, W) each; the tail, (N, W); the
    replacements, (N, K, W); whether each replaces the head, (N, K), 1 or 0; and, with translations, what is added to
    the scores with another head, (N,). Tops: (N,) and (N, K).
    """

    parameters_type = NoParameters
    parameters_field = "corrupted_score_param"
    bottom_counts = range(5, 7)
    top_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        asks_tail, asks_head, tail, replacements, *_ = bottoms
        if not asks_tail.dims == asks_head.dims == tail.dims == (replacements.dims[0], *replacements.dims[2:]):
            raise spec.error("queries, tails and replacements must be (N, W), (N, W), (N, W) and (N, K, W), not "
                             f"{asks_tail}, {asks_head}, {tail} and {replacements}")
        return (TensorShape(tail.dims[:1]), TensorShape(replacements.dims[:2]))

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[2].count + 2 * bottoms[3].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        asks_tail, asks_head, tail, replacements, replaces_head, *offset = bottoms
        both = torch.bmm(replacements, torch.stack([asks_tail, asks_head], 2))
        with_head = both[..., 1] + offset[0][:, None] if offset else both[..., 1]
        return ((asks_tail * tail).sum(1), torch.where(replaces_head.bool(), with_head, both[..., 0]))
