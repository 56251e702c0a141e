"""Small graphs, drawn and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.workloads.dagcn.graph_set import Graph


def graph_of(tags, edges, label=0) -> Graph:
    """A graph from each edge once."""
    both = sorted({pair for a, b in edges for pair in ((a, b), (b, a))})
    return Graph(label=label, tags=np.array(tags, np.int64), edges=np.array(both, np.int64).reshape(-1, 2).T)


@pytest.fixture
def graphs(rng) -> tuple[Graph, ...]:
    """Graphs of 1 to 6 nodes with three tags; some nodes have no neighbours."""
    found = []
    for size in (4, 1, 6, 3):
        edges = [(a, b) for a in range(size) for b in range(a) if rng.random() < 0.5]
        found.append(graph_of(rng.integers(0, 3, size), edges, label=size % 2))
    return tuple(found)
