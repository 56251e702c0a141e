"""KnowledgeGraphQueries: queries with one answer each."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.layer import layer_types
from cortado.workloads.codex.query import QueryParameters, split_queries


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
        self._queries = torch.from_numpy(split_queries(spec.parameters))

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape((spec.parameters.batch_size,)),) * 3

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        items = self.next_items(parameters.batch_size, len(self._queries), shuffle=parameters.shuffle)
        return self._queries[items].unbind(1)
