"""ReciprocalRank: how well the answers of queries are ranked, while a network trains."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.workloads.codex.dataset import SIZES, load_codex
from cortado.workloads.codex.query import known_answers
from cortado.workloads.ranking import Ties, filtered_ranks


@dataclass(frozen=True, kw_only=True)
class ReciprocalRankParameters:
    """The data set whose triples are known to be true."""

    dataset: str

    def __post_init__(self) -> None:
        if self.dataset not in SIZES:
            raise FieldError("dataset", f"must be one of {', '.join(SIZES)}, not '{self.dataset}'")


@layer_types.register("ReciprocalRank")
class ReciprocalRank(UntrainedLayer):
    """The mean of the inverse filtered ranks of the answers, ties by the mean; a scalar.

    Bottoms: scores (N, entities), entities, relations and answers (N,) of the queries.
    """

    parameters_type = ReciprocalRankParameters
    parameters_field = "reciprocal_rank_param"
    bottom_counts = range(4, 5)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._known = known_answers(load_codex(spec.parameters.dataset))

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        scores, entities, relations, answers = bottoms
        known = self._known.of(torch.stack([entities, relations], 1).numpy())
        return (filtered_ranks(scores, answers, known, Ties.MEAN).double().reciprocal().mean(),)
