"""Sets of graphs: their form, their published sizes, their folds."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import WorkloadError
from cortado.workloads.dagcn.files import GRAPH_SETS
from cortado.workloads.dagcn.graph_set import fold, graph_set, read_graphs

# Graphs, classes, tags and mean nodes. Source: Zhang et al. 2018, "An End-to-End Deep Learning Architecture for Graph
# Classification", table 1; Kersting et al., benchmark data sets for graph kernels.
PUBLISHED = {"mutag": (188, 2, 7, 17.93), "ptc": (344, 2, 19, 25.56), "enzymes": (600, 6, 3, 32.6),
             "proteins": (1113, 2, 3, 39.06), "nci1": (4110, 2, 37, 29.87), "nci109": (4127, 2, 38, 29.7)}

TEXT = "2\n3 5\n7 2 1 2\n4 1 0\n7 1 0\n1 2\n9 0\n"


@pytest.mark.parametrize("name", GRAPH_SETS)
def test_sizes_are_the_published_ones(real_files, name):
    found = graph_set(name)
    count, classes, tags, nodes = PUBLISHED[name]
    assert (len(found.graphs), found.classes, found.tag_count) == (count, classes, tags)
    assert np.mean([len(graph.tags) for graph in found.graphs]) == pytest.approx(nodes, abs=0.06)


@pytest.mark.parametrize("name", ["mutag", "enzymes"])
def test_folds_hold_each_graph_out_at_most_once_and_never_train_on_it(real_files, name):
    held_out = [fold(name, number)[1] for number in range(1, 11)]
    together = np.concatenate(held_out)
    assert len(set(together.tolist())) == len(together) == {"mutag": 180, "enzymes": 600}[name]
    for number, test in enumerate(held_out, 1):
        assert not set(fold(name, number)[0].tolist()) & set(test.tolist())


def test_labels_and_tags_are_numbered_as_they_come(tmp_path):
    (tmp_path / "g.txt").write_text(TEXT)
    found = read_graphs(tmp_path / "g.txt")
    first, second = found.graphs
    assert (first.label, second.label, found.classes, found.tag_count) == (0, 1, 2, 3)
    assert (first.tags.tolist(), second.tags.tolist()) == ([0, 1, 0], [2])
    assert first.edges.T.tolist() == [[0, 1], [0, 2], [1, 0], [2, 0]]
    assert second.edges.shape == (2, 0)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("2\n3", "x\n3", "{path}:1: it must be the number of graphs"),
    ("3 5", "3", "{path}:2: it must be a graph's number of nodes and label"),
    ("7 2 1 2", "7 2 1 3", "{path}:3: it must have 2 neighbours from 0 to 2"),
    ("4 1 0", "4", "{path}:4: it must be a node's tag, its number of neighbours and these"),
    ("9 0\n", "", "{path}:7: it must be a node's tag, its number of neighbours and these"),
])
def test_a_wrong_line_is_named(tmp_path, old, new, message):
    path = tmp_path / "g.txt"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(WorkloadError) as caught:
        read_graphs(path)
    assert str(caught.value) == message.format(path=path)
