"""Several graphs as one: nodes in a row, adjacency block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from cortado.workloads.dagcn.graph_set import Graph


@dataclass(frozen=True, kw_only=True)
class Batch:
    """`tags` one-hot (N, tags), `adjacency` sparse (N, N) of 0 and 1, nodes of each graph and labels (G,)."""

    tags: Tensor = field(repr=False)
    adjacency: Tensor = field(repr=False)
    sizes: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)


def batch_of(graphs: Sequence[Graph], tag_count: int) -> Batch:
    """The graphs as one."""
    sizes = np.array([len(graph.tags) for graph in graphs])
    begins = np.concatenate(([0], np.cumsum(sizes)))
    nodes = int(begins[-1])
    tags = np.concatenate([graph.tags for graph in graphs])
    # Within a graph sorted by row, so in the order sparse tensors want them in.
    edges = np.concatenate([graph.edges + begin for graph, begin in zip(graphs, begins, strict=False)], 1)
    adjacency = torch.sparse_coo_tensor(torch.from_numpy(edges), torch.ones(edges.shape[1]), (nodes, nodes),
                                        is_coalesced=True, check_invariants=False)
    return Batch(tags=torch.nn.functional.one_hot(torch.from_numpy(tags), tag_count).float(), adjacency=adjacency,
                 sizes=torch.from_numpy(sizes), labels=torch.tensor([float(graph.label) for graph in graphs]))


def graph_of_node(sizes: Tensor) -> Tensor:
    """The number of the graph each node is of, (N,), from the sizes of the graphs, (G,)."""
    return torch.arange(len(sizes)).repeat_interleave(sizes)


def padded(values: Tensor, sizes: Tensor, *, fill: float = 0.0) -> Tensor:
    """Values of nodes (N, d) as (G, n, d), where n is the size of the largest graph; `fill` where there is no node."""
    graph = graph_of_node(sizes)
    place = torch.arange(len(graph)) - (sizes.cumsum(0) - sizes)[graph]
    return values.new_full((len(sizes), int(sizes.max()), values.shape[1]), fill).index_put((graph, place), values)
