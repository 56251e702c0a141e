"""The Weisfeiler-Lehman kernel on graphs small enough for a pencil, and its SVM on MUTAG."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from cortado.workloads.dagcn.graph_set import Graph, fold, graph_set
from cortado.workloads.dagcn.weisfeiler_lehman import DEPTHS, accuracy, kernels, subtree_counts


def graph_of(tags, edges) -> Graph:
    both = sorted({pair for a, b in edges for pair in ((a, b), (b, a))})
    return Graph(label=0, tags=np.array(tags), edges=np.array(both, np.int64).reshape(-1, 2).T)


# A triangle and a path of three nodes, all of one tag.
TRIANGLE = graph_of([0, 0, 0], [(0, 1), (1, 2), (0, 2)])
PATH = graph_of([0, 0, 0], [(0, 1), (1, 2)])


def test_rounds_by_hand():
    first, second, third = subtree_counts([TRIANGLE, PATH], 2)
    assert [sorted(counts.values()) for counts in first] == [[3], [3]]
    # Two neighbours: all of the triangle and the middle of the path. One neighbour: the ends.
    assert second == [Counter({0: 3}), Counter({0: 1, 1: 2})]
    # Now the middle, between ends, is no node of the triangle any more.
    assert [sorted(counts.values()) for counts in third] == [[3], [1, 2]]
    assert not set(third[0]) & set(third[1])


def test_the_kernel_by_hand():
    found = kernels([TRIANGLE, PATH])
    # Products of counts by round, added up: 9, then 9 + 3, then 12 + 0; of the path with itself 9, 14, 19.
    for depth, (own, other, both) in enumerate([(9, 9, 9), (18, 14, 12), (27, 19, 12)]):
        alike = both / np.sqrt(own * other)
        np.testing.assert_allclose(found[depth], [[1, alike], [alike, 1]])


def test_equal_graphs_in_another_order_are_equal(rng):
    tags, order = rng.integers(0, 2, 7), rng.permutation(7)
    edges = [(a, b) for a in range(7) for b in range(a) if rng.random() < 0.4]
    moved = graph_of(tags[np.argsort(order)], [(order[a], order[b]) for a, b in edges])
    for matrix in kernels([graph_of(tags, edges), moved]):
        assert matrix[0, 1] == pytest.approx(1)
    assert len(DEPTHS) == 6


def test_it_tells_mutagenic_compounds_apart(real_files):
    graphs = graph_set("mutag").graphs
    labels = np.array([graph.label for graph in graphs])
    # Two thirds are of one class.
    assert accuracy(kernels(graphs)[:3], labels, *fold("mutag", 1), seed=0) > 0.7
