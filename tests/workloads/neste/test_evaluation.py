"""The tasks of NestE on random vectors: the linear way against scoring every candidate by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.net.net import Net
from cortado.workloads.neste.algebra import Algebra, normalised
from cortado.workloads.neste.dataset import NestedFacts
from cortado.workloads.neste.evaluation import (
    NestedModel,
    conditional_link_prediction,
    link_prediction,
    triple_prediction,
)
from cortado.workloads.neste.model import Family, Variant
from cortado.workloads.ranking import CUTOFFS

DIMENSION, WEIGHT = 3, 0.5


@pytest.fixture
def data(rng):
    """Twelve entities, three relations, two nested ones; every triple and nested fact at most once."""
    triples = rng.permutation(np.array([(h, r, t) for h in range(12) for r in range(3) for t in range(12)]))
    facts = rng.permutation(np.array([(i, n, j) for i in range(30) for n in range(2) for j in range(30)]))
    return NestedFacts(
        name="tiny", entities=tuple("abcdefghijkl"), relations=("p", "q", "r"), nested_relations=("m", "n"),
        triples={"train": triples[:60], "valid": triples[60:70], "test": triples[70:80]},
        facts={"train": facts[:50], "valid": facts[50:60], "test": facts[60:72]}, augmented=triples[80:90])


class BruteForce:
    """Scores by the formulas, one candidate after the other."""

    def __init__(self, net, variant, data):
        self.variant, self.data = variant, data
        self.tables = {stage.layer.spec.blob_settings[0].name: stage.layer.blobs[0].detach() for stage in net.stages
                       if len(stage.layer.blobs) and stage.spec.blob_settings}

    def vectors(self, name, numbers):
        return self.tables[name][torch.as_tensor(numbers)].unflatten(-1, (4, -1))

    def atomic(self, triples):
        head, tail = (self.vectors("entities", triples[:, column]) for column in (0, 2))
        if self.variant.translation:
            head = head + self.vectors("translations", triples[:, 1])
        product = self.variant.algebra.product(head, normalised(self.vectors("relations", triples[:, 1])))
        return (product * tail).sum((1, 2)).numpy()

    def fact(self, triples):
        """(n, parts, 4, k)."""
        parts = [self.vectors("entities", triples[:, 0]), self.vectors("relations", triples[:, 1])]
        if self.variant.translation:
            parts.append(self.vectors("translations", triples[:, 1]))
        return torch.stack([*parts, self.vectors("entities", triples[:, 2])], 1)

    def nested(self, first, relations, second):
        algebra, one, other = self.variant.algebra, self.fact(first), self.fact(second)
        vectors = self.vectors("nested_relations", relations)
        if self.variant.family is Family.BIVE:
            one, other = (torch.einsum("npck,cmpk->ncm", fact, self.tables["compression"].unflatten(2, (3, -1)))
                          for fact in (one, other))
            return (algebra.product(one, normalised(vectors)) * other).sum((1, 2)).numpy()
        count = one.shape[1]
        matrix = vectors.unflatten(2, (count, count, -1))
        if self.variant.translation:
            one = one + self.vectors("nested_translations", relations).unflatten(2, (count, -1)).transpose(1, 2)
        return sum((algebra.product(one[:, i], normalised(matrix[:, :, j, i])) * other[:, j]).sum((1, 2))
                   for i in range(count) for j in range(count)).numpy()


def ranks_of(scores, answer, others):
    keep = np.ones(len(scores), bool)
    keep[[other for other in others if other != answer]] = False
    return 1 + int((scores[keep] > scores[answer]).sum())


VARIANTS = [Variant(family=Family.NESTE, algebra=algebra, translation=translation, dimension=DIMENSION)
            for algebra in Algebra for translation in (False, True)]
VARIANTS.append(Variant(family=Family.BIVE, algebra=Algebra.QUATERNION, translation=False, dimension=DIMENSION))


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_the_linear_way_equals_brute_force(data, variant):
    net = Net(variant.asking_network(data), seed=1, fillers=True).double()
    model, brute = NestedModel(net, data), BruteForce(net, variant, data)
    train, facts = data.triples["train"], np.concatenate(list(data.facts.values()))
    known = {tuple(row) for row in facts.tolist()}

    ranks = []
    for i, relation, j in data.facts["test"].tolist():
        same = np.full(len(train), relation)
        tails = brute.nested(np.tile(train[i], (len(train), 1)), same, train)
        ranks.append(ranks_of(tails, j, [x for x in range(len(train)) if (i, relation, x) in known]))
        heads = brute.nested(train, same, np.tile(train[j], (len(train), 1)))
        ranks.append(ranks_of(heads, i, [x for x in range(len(train)) if (x, relation, j) in known]))
    assert_ranks(triple_prediction(model, data.facts["test"]), ranks)

    written = {(tuple(train[i]), relation, tuple(train[j])) for i, relation, j in facts.tolist()}
    ranks = []
    for i, relation, j in data.facts["test"].tolist():
        for open_first in (False, True):
            for column in (0, 2):
                context, opened = (train[j], train[i]) if open_first else (train[i], train[j])
                candidates = np.tile(opened, (12, 1))
                candidates[:, column] = range(12)
                fixed, same = np.tile(context, (12, 1)), np.full(12, relation)
                nested = brute.nested(*((candidates, same, fixed) if open_first else (fixed, same, candidates)))
                others = [x for x, row in enumerate(map(tuple, candidates)) if
                          ((row, relation, tuple(context)) if open_first else (tuple(context), relation, row))
                          in written]
                ranks.append(ranks_of(brute.atomic(candidates) + WEIGHT * nested, opened[column], others))
    assert_ranks(conditional_link_prediction(model, data.facts["test"], WEIGHT), ranks)

    triples = {tuple(row) for split in data.triples.values() for row in split.tolist()}
    ranks = []
    for triple in data.triples["test"]:
        for column in (0, 2):
            candidates = np.tile(triple, (12, 1))
            candidates[:, column] = range(12)
            ranks.append(ranks_of(brute.atomic(candidates), triple[column],
                                  [x for x, row in enumerate(map(tuple, candidates.tolist())) if row in triples]))
    assert_ranks(link_prediction(model, data.triples["test"]), ranks)


def assert_ranks(ranking, ranks):
    assert ranking.queries == len(ranks)
    assert ranking.mean_rank == pytest.approx(np.mean(ranks))
    assert ranking.mrr == pytest.approx(np.mean(1 / np.array(ranks)))
    assert ranking.hits == pytest.approx([np.mean(np.array(ranks) <= cutoff) for cutoff in CUTOFFS])
