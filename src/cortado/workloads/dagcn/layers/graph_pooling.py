"""GraphPooling: the sum, mean or largest of a graph's nodes, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.workloads.dagcn.batch import graph_of_node


class Pool(Enum):
    """What becomes of the nodes."""

    SUM = 0
    MEAN = 1
    MAX = 2


@dataclass(frozen=True, kw_only=True)
class GraphPoolingParameters:
    """Parameters of GraphPooling."""

    pool: Pool


@layer_types.register("GraphPooling")
class GraphPooling(UntrainedLayer):
    """Bottoms: nodes (N, d), nodes of each graph (G,). Top: (G, d)."""

    parameters_type = GraphPoolingParameters
    parameters_field = "graph_pooling_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        nodes, sizes = bottoms
        if nodes.rank != 2 or sizes.rank != 1:
            raise spec.error(f"bottoms must be nodes N x d and the nodes of each graph, not {nodes} and {sizes}")
        return (TensorShape((sizes.dims[0], nodes.dims[1])),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        nodes, sizes = bottoms
        graph = graph_of_node(sizes)
        pooled = nodes.new_zeros(len(sizes), nodes.shape[1])
        if self.spec.parameters.pool is Pool.MAX:
            index = graph[:, None].expand_as(nodes)
            return (pooled.scatter_reduce(0, index, nodes, "amax", include_self=False),)
        summed = pooled.index_add(0, graph, nodes)
        return (summed if self.spec.parameters.pool is Pool.SUM else summed / sizes[:, None],)
