"""Relation patterns: in facts made for them, and in vectors that have them by construction."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.workloads.neste.algebra import Algebra
from cortado.workloads.neste.dataset import NestedFacts
from cortado.workloads.neste.evaluation import NestedModel
from cortado.workloads.neste.pattern import (
    composed_relations,
    inverse_relations,
    logical_patterns,
    nested_symmetry,
    pattern_metrics,
    symmetric_relations,
)

SPOUSE, PARENT, CHILD, GRANDPARENT = range(4)


@pytest.fixture
def triples():
    """Chains of three generations, each first one with a spouse."""
    found = []
    for first in range(0, 120, 4):
        parent, child, spouse = first + 1, first + 2, first + 3
        found += [(first, PARENT, parent), (parent, PARENT, child), (parent, CHILD, first), (child, CHILD, parent),
                  (first, GRANDPARENT, child), (first, SPOUSE, spouse), (spouse, SPOUSE, first)]
    return np.array(found)


def test_patterns_of_the_facts(triples):
    assert symmetric_relations(triples) == {SPOUSE}
    assert inverse_relations(triples) == {(PARENT, CHILD), (CHILD, PARENT)}
    assert composed_relations(triples) == {(PARENT, PARENT, GRANDPARENT), (CHILD, GRANDPARENT, PARENT),
                                           (GRANDPARENT, CHILD, PARENT)}


def test_logical_patterns_are_told_apart():
    pairs = np.array([[0, 5, 1, 0, 6, 1, 0], [0, 5, 1, 1, 6, 0, 0], [0, 5, 1, 0, 6, 2, 0], [0, 5, 1, 2, 6, 1, 0],
                      [0, 5, 1, 1, 6, 2, 0], [0, 5, 1, 2, 6, 0, 0], [0, 5, 1, 2, 6, 3, 0]])
    found = {name: np.flatnonzero(own).tolist() for name, own in logical_patterns(pairs)}
    assert found == {"same ends": [0], "ends swapped": [1], "same head": [2], "same tail": [3], "tail is head": [4],
                     "head is tail": [5], "no common end": [6]}


class VectorsOnly:
    """A model of which only vectors are asked: a relation is one quaternion."""

    def __init__(self, relations, nested):
        self.entities = torch.zeros(1, 4)
        self.relations = relations
        self._nested = nested
        self.net = self

    def stage(self, name):
        assert name == "nested"
        return type("Stage", (), {"layer": type("Layer", (), {"blobs": [self._nested]})})


def test_vectors_that_have_the_patterns(triples):
    # Real is symmetric; conjugates are inverse; a product is a composition.
    turn = torch.tensor([0.6, 0.0, 0.8, 0.0])
    twice = Algebra.QUATERNION.product(turn.view(1, 4, 1), turn.view(1, 4, 1)).flatten()
    relations = torch.stack([torch.tensor([2.0, 0, 0, 0]), turn, turn * torch.tensor([1.0, -1, -1, -1]), twice])
    # Nested relations of 2 x 2 parts: one whose blocks are each other's adjoints, one whose are not.
    i, one = torch.tensor([0.0, 1, 0, 0]), torch.tensor([1.0, 0, 0, 0])
    symmetric, other = (torch.stack(blocks, 1).flatten() for blocks in ((one, i, -i, one), (one, i, i, one)))
    data = NestedFacts(name="tiny", entities=(), relations=tuple("scpg"), nested_relations=("both ways", "one way"),
                       triples={"train": triples}, facts={}, augmented=triples)
    model: NestedModel = VectorsOnly(relations, torch.stack([symmetric, other]))
    found = pattern_metrics(model, data, Algebra.QUATERNION)
    assert (found["symmetry"], found["inversion"], found["composition"]) == pytest.approx((1, 1, 1))
    assert max(found["symmetry of others"], found["inversion of others"], found["composition of others"]) < 0.7
    assert nested_symmetry(model, data, Algebra.QUATERNION) == pytest.approx({"both ways": 1, "one way": 0})
