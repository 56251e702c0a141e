"""What models of CoDEx are asked: layer types that read queries and answers from triples.

A query is an entity and a relation, its answers are entities. Each triple gives two: (subject, relation) with its
object, and (object, inverse of the relation) with its subject, where the inverse of relation r of n is r + n.
Source: Lacroix et al. 2018, "Canonical Tensor Decomposition for Knowledge Base Completion", section 3 (reciprocals).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.layer import layer_types
from cortado.workloads.codex.dataset import SIZES, load_codex


class Split(Enum):
    """Which triples of a data set."""

    TRAIN = 0
    VALID = 1
    TEST = 2


def reciprocal_queries(triples: np.ndarray, relations: int) -> np.ndarray:
    """The two queries of each triple with their answers, (2 n, 3): entity, relation or its inverse, answer."""
    inverse = triples[:, ::-1] + np.array([0, relations, 0])
    return np.concatenate([triples, inverse])


@dataclass(frozen=True, kw_only=True)
class QueryParameters:
    """Parameters of the types that read queries: the data set's name, its split, how many at a time."""

    dataset: str
    split: Split = Split.TRAIN
    batch_size: int
    shuffle: bool = True

    def __post_init__(self) -> None:
        if self.dataset not in SIZES:
            raise FieldError("dataset", f"must be one of {', '.join(SIZES)}, not '{self.dataset}'")
        if self.batch_size < 1:
            raise FieldError("batch_size", f"must be at least 1, not {self.batch_size}")


@layer_types.register("KnowledgeGraphQueries")
class KnowledgeGraphQueries(DataSource):
    """The next queries with one answer each: 1vsAll. Tops, int64 (N,): entity, relation, answer.

    Source: Ruffinelli et al. 2020, "You CAN Teach an Old Dog New Tricks!", section 2 (training types).
    """

    parameters_type = QueryParameters
    parameters_field = "query_param"
    top_counts = range(3, 4)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._queries = torch.from_numpy(_queries(spec.parameters))

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape((spec.parameters.batch_size,)),) * 3

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        items = self.next_items(parameters.batch_size, len(self._queries), shuffle=parameters.shuffle)
        return self._queries[items].unbind(1)


@layer_types.register("KnowledgeGraphAnswers")
class KnowledgeGraphAnswers(DataSource):
    """The next different queries with all their answers in the split: KvsAll.

    Tops: entity and relation, int64 (N,), and (N, entities), 1 for the answers and 0 for the others. Source: as
    `KnowledgeGraphQueries`.
    """

    parameters_type = QueryParameters
    parameters_field = "query_param"
    top_counts = range(3, 4)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        given = _queries(spec.parameters)
        queries, places = np.unique(given[:, :2], axis=0, return_inverse=True)
        order = np.argsort(places, kind="stable")
        self._queries = torch.from_numpy(queries)
        self._answers = torch.from_numpy(given[order, 2]).split(np.bincount(places).tolist())
        self._entities = len(load_codex(spec.parameters.dataset).entities)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        batch, entities = spec.parameters.batch_size, len(load_codex(spec.parameters.dataset).entities)
        return (TensorShape((batch,)), TensorShape((batch,)), TensorShape((batch, entities)))

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        items = self.next_items(parameters.batch_size, len(self._queries), shuffle=parameters.shuffle)
        targets = torch.zeros(len(items), self._entities)
        for row, item in zip(targets, items, strict=True):
            row[self._answers[item]] = 1
        return (*self._queries[items].unbind(1), targets)


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


def _queries(parameters: QueryParameters) -> np.ndarray:
    triples = load_codex(parameters.dataset)
    return reciprocal_queries(triples.splits[parameters.split.name.lower()], len(triples.relations))
