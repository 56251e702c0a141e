"""KnowledgeGraphCandidates: queries with an answer and other entities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import layer_types
from cortado.workloads.codex.dataset import load_codex
from cortado.workloads.codex.layers.knowledge_graph_queries import KnowledgeGraphQueries
from cortado.workloads.codex.query import QueryParameters


@dataclass(frozen=True, kw_only=True)
class CandidateParameters(QueryParameters):
    """And how many other entities are drawn for each answer."""

    drawn: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.drawn < 1:
            raise FieldError("drawn", f"must be at least 1, not {self.drawn}")


@layer_types.register("KnowledgeGraphCandidates")
class KnowledgeGraphCandidates(KnowledgeGraphQueries):
    """The next queries, each with its answer and entities drawn by chance: negative sampling.

    Tops, int64: entity and relation (N,), candidates (N, 1 + drawn), the answer first. What is drawn may be a true
    answer, as in LibKGE. Source: as `KnowledgeGraphQueries`.
    """

    parameters_type = CandidateParameters
    parameters_field = "candidate_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        batch = spec.parameters.batch_size
        return (TensorShape((batch,)), TensorShape((batch,)), TensorShape((batch, 1 + spec.parameters.drawn)))

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        entities, relations, answers = super().forward(*bottoms)
        drawn = torch.randint(len(load_codex(self.spec.parameters.dataset).entities),
                              (len(answers), self.spec.parameters.drawn))
        return (entities, relations, torch.cat([answers[:, None], drawn], 1))
