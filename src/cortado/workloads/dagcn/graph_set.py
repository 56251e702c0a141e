"""Sets of labelled graphs whose nodes have tags, and their folds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from cortado.errors import WorkloadError
from cortado.frontends.data_store import path_to
from cortado.frontends.file import read_text
from cortado.workloads.dagcn.files import fold_files, graphs_file


@dataclass(frozen=True, kw_only=True)
class Graph:
    """`tags` are numbers from 0, one a node; `edges` (2, e) has each edge in both directions once."""

    label: int
    tags: np.ndarray = field(repr=False)
    edges: np.ndarray = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class GraphSet:
    """Labels and tags count from 0 in the order in which the file first has them."""

    graphs: tuple[Graph, ...] = field(repr=False)
    classes: int
    tag_count: int


@cache
def graph_set(name: str) -> GraphSet:
    """A set of the data files; raises `DataError` where it is not here."""
    return read_graphs(path_to(graphs_file(name)))


@cache
def fold(name: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the graphs to train on and of those held out, in a fold counted from 1."""
    training, held_out = (np.array(read_text(path_to(file)).split(), np.int64) for file in fold_files(name, number))
    return training, held_out


def read_graphs(path: Path) -> GraphSet:
    """The graphs of a file in the text form of DGCNN; raises `WorkloadError` naming the line that is wrong.

    The first line is their number N; then for each a line `n label`, and n lines `tag m neighbour_1 ... neighbour_m`
    with neighbours counted from 0.
    """
    lines = read_text(path).splitlines()
    place = 0

    def numbers(least: int, words: str) -> list[int]:
        nonlocal place
        place += 1
        try:
            found = [int(word) for word in lines[place - 1].split()]
        except (IndexError, ValueError):
            found = []
        if len(found) < least:
            raise WorkloadError(f"{path}:{place}: it must be {words}")
        return found

    labels: dict[int, int] = {}
    tags: dict[int, int] = {}
    graphs = []
    for _ in range(numbers(1, "the number of graphs")[0]):
        count, label = numbers(2, "a graph's number of nodes and label")[:2]
        nodes, edges = [], set()
        for node in range(count):
            tag, degree, *neighbours = numbers(2, "a node's tag, its number of neighbours and these")
            if len(neighbours) < degree or not all(0 <= other < count for other in neighbours[:degree]):
                raise WorkloadError(f"{path}:{place}: it must have {degree} neighbours from 0 to {count - 1}")
            nodes.append(tags.setdefault(tag, len(tags)))
            edges.update(pair for other in neighbours[:degree] for pair in ((node, other), (other, node)))
        graphs.append(Graph(label=labels.setdefault(label, len(labels)), tags=np.array(nodes, np.int64),
                            edges=np.array(sorted(edges), np.int64).reshape(-1, 2).T))
    return GraphSet(graphs=tuple(graphs), classes=len(labels), tag_count=len(tags))
