"""Relation patterns, in the facts and in what was learnt from them.

A relation acts on an entity's numbers as matrices, one 4x4 for each dimension. It is symmetric where these are, two
are inverse to each other where one's are the other's transposed, and the composition of two is the product of
theirs. The same holds for the block matrices of nested relations. Source: Xiong et al. 2024, section "Theoretical
analysis", propositions on relational and logical patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import permutations

import numpy as np
from torch import Tensor
from torch.nn.functional import cosine_similarity

from cortado.workloads.neste.algebra import COMPONENTS, Algebra, normalised
from cortado.workloads.neste.dataset import NestedFacts
from cortado.workloads.neste.evaluation import NestedModel
from cortado.workloads.ranking import Ranking

# A pattern is one of the data from this share on, of at least so many triples.
LEAST_SHARE, LEAST_TRIPLES = 0.5, 20

# How the ends of the two triples of a nested fact go together, the first that holds.
LOGICAL_PATTERNS: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("same ends", lambda pairs: (pairs[:, 0] == pairs[:, 3]) & (pairs[:, 2] == pairs[:, 5])),
    ("ends swapped", lambda pairs: (pairs[:, 0] == pairs[:, 5]) & (pairs[:, 2] == pairs[:, 3])),
    ("same head", lambda pairs: pairs[:, 0] == pairs[:, 3]),
    ("same tail", lambda pairs: pairs[:, 2] == pairs[:, 5]),
    ("tail is head", lambda pairs: pairs[:, 2] == pairs[:, 3]),
    ("head is tail", lambda pairs: pairs[:, 0] == pairs[:, 5]),
    ("no common end", lambda pairs: np.ones(len(pairs), bool)),
)


def symmetric_relations(triples: np.ndarray) -> set[int]:
    """The relations most of whose triples (n, 3) have their reverse."""
    return {relation for relation, other in _inversions(triples) if relation == other}


def inverse_relations(triples: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of different relations where most triples of the first have their reverse among those of the second."""
    return {(relation, other) for relation, other in _inversions(triples) if relation != other}


def composed_relations(triples: np.ndarray) -> set[tuple[int, int, int]]:
    """Relations a, b and c where most paths along a and b are closed by c."""
    ends = {relation: set(map(tuple, triples[triples[:, 1] == relation][:, [0, 2]].tolist()))
            for relation in np.unique(triples[:, 1]).tolist()}
    found = set()
    for second, seconds in ends.items():
        following: dict[int, list[int]] = {}
        for head, tail in seconds:
            following.setdefault(head, []).append(tail)
        for first, firsts in ends.items():
            paths = {(head, tail) for head, middle in firsts for tail in following.get(middle, ()) if head != tail}
            if len(paths) >= LEAST_TRIPLES:
                found.update((first, second, third) for third, closed in ends.items()
                             if len(paths & closed) >= LEAST_SHARE * len(paths))
    return found


def logical_patterns(pairs: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """For each way the ends of two triples go together, which of `NestedFacts.pairs` it is that of, as booleans."""
    left = np.ones(len(pairs), bool)
    for name, holds in LOGICAL_PATTERNS:
        own = left & holds(pairs)
        left &= ~own
        if own.any():
            yield name, own


def relation_matrices(model: NestedModel, algebra: Algebra) -> Tensor:
    """What each relation does to an entity, (relations, dimension, 4, 4)."""
    vectors = model.relations[:, :model.entities.shape[1]].unflatten(1, (COMPONENTS, -1))
    return algebra.matrix(normalised(vectors)).movedim(3, 1)


def nested_matrices(model: NestedModel, algebra: Algebra) -> Tensor:
    """What each nested relation of NestE does to a fact of n parts, (nested relations, dimension, 4 n, 4 n)."""
    vectors = model.net.stage("nested").layer.blobs[0].detach()
    numbers = model.entities.shape[1] // COMPONENTS
    parts = round((vectors.shape[1] / (COMPONENTS * numbers))**0.5)
    matrix = algebra.matrix(normalised(vectors.unflatten(1, (COMPONENTS, parts, parts, numbers))))
    # (R, c, a, j, i, k) -> (R, k, j, c, i, a).
    return matrix.permute(0, 5, 3, 1, 4, 2).flatten(4, 5).flatten(2, 3)


def pattern_metrics(model: NestedModel, data: NestedFacts, algebra: Algebra) -> dict[str, float]:
    """How well learnt matrices fit the patterns their relations have, and the same of all other relations.

    A fit is the mean cosine between the matrices that would be equal; 1 is a perfect one.
    """
    train = data.triples["train"]
    matrices = relation_matrices(model, algebra)
    transposed = matrices.transpose(-1, -2)
    symmetric, inverse, composed = symmetric_relations(train), inverse_relations(train), composed_relations(train)
    relations = np.unique(train[:, 1]).tolist()
    heads = {(first, second) for first, second, _ in composed}
    fits = {
        "symmetry": [(matrices[a], transposed[a]) for a in symmetric],
        "symmetry of others": [(matrices[a], transposed[a]) for a in relations if a not in symmetric],
        "inversion": [(matrices[a], transposed[b]) for a, b in inverse],
        "inversion of others": [(matrices[a], transposed[b]) for a, b in permutations(relations, 2)
                                if (a, b) not in inverse],
        "composition": [(matrices[b] @ matrices[a], matrices[c]) for a, b, c in composed],
        "composition of others": [(matrices[b] @ matrices[a], matrices[c]) for a, b in heads for c in relations
                                  if (a, b, c) not in composed],
    }
    return {name: _fit(pairs) for name, pairs in fits.items() if pairs}


def nested_symmetry(model: NestedModel, data: NestedFacts, algebra: Algebra) -> dict[str, float]:
    """By nested relation of NestE, the cosine between its matrix and that transposed."""
    matrices = nested_matrices(model, algebra)
    return {name: _fit([(matrix, matrix.transpose(-1, -2))])
            for name, matrix in zip(data.nested_relations, matrices, strict=True)}


def logical_metrics(data: NestedFacts, facts: np.ndarray, ranks: Tensor) -> dict[str, float]:
    """The MRR of triple prediction by the logical pattern of the nested fact, from the `triple_ranks` of facts."""
    return {name: Ranking.of(ranks[:, own]).mrr for name, own in logical_patterns(data.pairs(facts))}


def _inversions(triples: np.ndarray) -> Iterator[tuple[int, int]]:
    ends = {relation: set(map(tuple, triples[triples[:, 1] == relation][:, [0, 2]].tolist()))
            for relation in np.unique(triples[:, 1]).tolist()}
    for relation, own in ends.items():
        back = {(tail, head) for head, tail in own}
        if len(own) >= LEAST_TRIPLES:
            yield from ((relation, other) for other, those in ends.items()
                        if len(back & those) >= LEAST_SHARE * len(own))


def _fit(pairs: Iterable[tuple[Tensor, Tensor]]) -> float:
    return float(np.mean([float(cosine_similarity(one.flatten(), other.flatten(), dim=0)) for one, other in pairs]))
