"""The Weisfeiler-Lehman subtree kernel with a support vector machine, the baseline without a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from cortado.workloads.dagcn.graph_set import Graph

# What is tried by cross-validation within the training graphs.
DEPTHS = (0, 1, 2, 3, 4, 5)
PENALTIES = (0.1, 1.0, 10.0, 100.0)
INNER_FOLDS = 3


def subtree_counts(graphs: Sequence[Graph], depth: int) -> list[list[Counter[int]]]:
    """How often each graph has each label, for 0 to `depth` rounds: by round, then by graph.

    In a round a node's label becomes that of the pair (its label, the sorted labels of its neighbours); equal pairs of
    all graphs become equal labels. Source: Shervashidze et al. 2011, "Weisfeiler-Lehman Graph Kernels", algorithm 1.
    """
    labels = [graph.tags.tolist() for graph in graphs]
    neighbours = [[[] for _ in graph.tags] for graph in graphs]
    for graph, lists in zip(graphs, neighbours, strict=True):
        for node, other in graph.edges.T.tolist():
            lists[node].append(other)
    rounds = [[Counter(nodes) for nodes in labels]]
    for _ in range(depth):
        known: dict[tuple, int] = {}
        labels = [[known.setdefault((label, tuple(sorted(nodes[other] for other in near))), len(known))
                   for label, near in zip(nodes, lists, strict=True)]
                  for nodes, lists in zip(labels, neighbours, strict=True)]
        rounds.append([Counter(nodes) for nodes in labels])
    return rounds


def kernels(graphs: Sequence[Graph]) -> list[np.ndarray]:
    """The normalised kernel of each of `DEPTHS`: k(g, h) / sqrt(k(g, g) k(h, h)), (G, G) each.

    k is the product of the counts of all rounds up to the depth.
    """
    from sklearn.feature_extraction import DictVectorizer

    total = np.zeros((len(graphs), len(graphs)))
    found = []
    for counts in subtree_counts(graphs, max(DEPTHS)):
        features = DictVectorizer(dtype=np.float64).fit_transform(
            [{str(label): number for label, number in graph.items()} for graph in counts])
        total += (features @ features.T).toarray()
        root = np.sqrt(total.diagonal())
        found.append(total / root[:, None] / root)
    return [found[depth] for depth in DEPTHS]


def accuracy(matrices: Sequence[np.ndarray], labels: np.ndarray, training: np.ndarray, held_out: np.ndarray,
             seed: int) -> float:
    """Of the held-out graphs, with depth and penalty as cross-validation within the training graphs says."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.svm import SVC

    folds = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed % 2**32)
    best, chosen = -1.0, None
    for matrix in matrices:
        search = GridSearchCV(SVC(kernel="precomputed"), {"C": PENALTIES}, cv=folds)
        search.fit(matrix[np.ix_(training, training)], labels[training])
        if search.best_score_ > best:
            best, chosen = search.best_score_, (matrix, search)
    matrix, search = chosen
    return float(search.score(matrix[np.ix_(held_out, training)], labels[held_out]))
