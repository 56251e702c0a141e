"""Batches of graphs: every graph's own block, and rows of nodes for each."""

from __future__ import annotations

import numpy as np
import torch

from cortado.workloads.dagcn.batch import batch_of, graph_of_node, padded


def test_blocks_are_the_graphs(graphs):
    batch = batch_of(graphs, 3)
    dense = batch.adjacency.to_dense().numpy()
    begin = 0
    for graph in graphs:
        size = len(graph.tags)
        expected = np.zeros((size, size))
        for a, b in graph.edges.T:
            expected[a, b] = 1
        np.testing.assert_array_equal(dense[begin:begin + size, begin:begin + size], expected)
        dense[begin:begin + size, begin:begin + size] = 0
        np.testing.assert_array_equal(batch.tags[begin:begin + size].argmax(1), graph.tags)
        begin += size
    assert not dense.any()
    assert batch.sizes.tolist() == [4, 1, 6, 3]
    assert batch.labels.tolist() == [0, 1, 0, 1]


def test_a_row_of_nodes_for_each_graph():
    sizes = torch.tensor([2, 1, 3])
    values = torch.arange(6.0)[:, None]
    assert graph_of_node(sizes).tolist() == [0, 0, 1, 2, 2, 2]
    assert padded(values, sizes, fill=-1)[:, :, 0].tolist() == [[0, 1, -1], [2, -1, -1], [3, 4, 5]]
