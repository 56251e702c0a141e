"""KnowledgeGraphAnswers: queries with all their answers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.layer import layer_types
from cortado.workloads.codex.dataset import load_codex
from cortado.workloads.codex.query import QueryParameters, split_queries


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
        given = split_queries(spec.parameters)
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
