"""How NestE is judged: triple prediction, conditional link prediction and link prediction, filtered and exact.

A score is linear in every part of a candidate, so a query needs one product with all entities and one with all
relations, however many triples are candidates. Source: Chung & Whang 2023, section 5 (tasks); OpenKE's `Test.h`
(ranks, in favour of the model where scores are equal).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cortado.net.net import Net
from cortado.workloads.neste.dataset import NestedFacts
from cortado.workloads.ranking import KnownAnswers, Ranking, Ties, rank

# Columns of `NestedFacts.pairs`.
FIRST, SECOND, NESTED = slice(0, 3), slice(3, 6), 6


class NestedModel:
    """A trained network of NestE or BiVE in phase TEST, with the tables its vectors come from."""

    def __init__(self, net: Net, data: NestedFacts) -> None:
        self.net = net
        self.data = data
        self.entities = net.stage("head").layer.blobs[0].detach()
        # A fact has, beside its ends, what its relation has: its vector, and its translation where there are such.
        stages = ("relation", "translation") if any(layer.name == "translation" for layer in net.spec.layers) else (
            "relation",)
        self.relations = torch.cat([net.stage(name).layer.blobs[0].detach() for name in stages], 1)
        self._triples = torch.from_numpy(data.triples["train"])

    def ask(self, triples: np.ndarray, nested: np.ndarray | None = None) -> dict[str, Tensor]:
        """What the network makes of (n, 3) triples and as many nested relations: the vectors that ask for the rest.

        `asks_tail` is of head and relation, `asks_head` of tail and relation, `nested_asks_tail` and
        `nested_asks_head` of the whole triple as head and as tail of a nested fact.
        """
        columns = dict(zip(("head", "relation", "tail"), torch.from_numpy(triples).unbind(1), strict=True))
        given = np.zeros(len(triples), np.int64) if nested is None else nested
        with torch.no_grad():
            return self.net({**columns, "nested": torch.from_numpy(np.ascontiguousarray(given))})

    def ends(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """The parts of vectors that ask for a fact, (n, parts W), that meet its head and its tail: (n, W) each."""
        width = self.entities.shape[1]
        return query[:, :width], query[:, -width:]

    def triple_scores(self, query: Tensor) -> Tensor:
        """The score of every training triple, (n, triples), but for what is the same for all."""
        heads, tails = self.ends(query)
        width = self.entities.shape[1]
        of_heads, of_tails = heads @ self.entities.T, tails @ self.entities.T
        of_relations = query[:, width:-width] @ self.relations.T
        columns = self._triples.unbind(1)
        scores = of_heads.index_select(1, columns[0])
        scores += of_relations.index_select(1, columns[1])
        return scores.add_(of_tails.index_select(1, columns[2]))


def triple_prediction(model: NestedModel, facts: np.ndarray) -> Ranking:
    """The missing triple of nested facts, (m, 3), among all training triples: both ends of each."""
    return Ranking.of(triple_ranks(model, facts))


def triple_ranks(model: NestedModel, facts: np.ndarray) -> Tensor:
    """The ranks of triple prediction, (2, m): of the second triple, then of the first."""
    known = np.concatenate(list(model.data.facts.values()))
    train = model.data.triples["train"]

    def scores(blob: str):
        return lambda queries: model.triple_scores(model.ask(train[queries[:, 0]], queries[:, 1])[blob])

    return torch.stack([
        rank(facts[:, [given, 1]], facts[:, answer], scores(blob),
             KnownAnswers(known[:, [given, 1]], known[:, answer]), Ties.OPTIMISTIC)
        for given, answer, blob in ((0, 2, "nested_asks_tail"), (2, 0, "nested_asks_head"))])


def conditional_link_prediction(model: NestedModel, facts: np.ndarray, weight: float) -> Ranking:
    """The missing entity of one triple of nested facts, (m, 3), given the other triple: four queries each.

    A candidate's score is that of the triple it completes, plus `weight` times that of the nested fact.
    """
    known = model.data.pairs(np.concatenate(list(model.data.facts.values())))
    asked = model.data.pairs(facts)
    ranks = []
    for context, open_triple, blob in ((FIRST, SECOND, "nested_asks_tail"), (SECOND, FIRST, "nested_asks_head")):
        for kept, answer in ((0, 2), (2, 0)):
            columns = [*range(context.start, context.stop), NESTED, open_triple.start + kept, open_triple.start + 1]
            ranks.append(rank(
                asked[:, columns], asked[:, open_triple.start + answer],
                _completions(model, blob, kept, weight),
                KnownAnswers(known[:, columns], known[:, open_triple.start + answer]), Ties.OPTIMISTIC))
    return Ranking.of(ranks)


def link_prediction(model: NestedModel, triples: np.ndarray) -> Ranking:
    """The missing entity of triples, (n, 3): both ends of each."""
    known = np.concatenate(list(model.data.triples.values()))

    def scores(kept: int):
        return lambda queries: _atomic(model, queries, kept) @ model.entities.T

    return Ranking.of([
        rank(triples[:, [kept, 1]], triples[:, answer], scores(kept),
             KnownAnswers(known[:, [kept, 1]], known[:, answer]), Ties.OPTIMISTIC, at_once=512)
        for kept, answer in ((0, 2), (2, 0))])


def _completions(model: NestedModel, blob: str, kept: int, weight: float):
    """Scores of every entity as the open end, for queries of three columns of context, nested relation, end, relation.

    What the other end and the relation add to the nested score is the same for all entities and left out.
    """
    def scores(queries: np.ndarray) -> Tensor:
        heads, tails = model.ends(model.ask(queries[:, :3], queries[:, 3])[blob])
        nested = tails if kept == 0 else heads
        return (_atomic(model, queries[:, 4:], kept) + weight * nested) @ model.entities.T

    return scores


def _atomic(model: NestedModel, queries: np.ndarray, kept: int) -> Tensor:
    """What an end, 0 the head and 2 the tail, and a relation ask for."""
    triples = np.stack([queries[:, 0], queries[:, 1], queries[:, 0]], 1)
    return model.ask(triples)["asks_tail" if kept == 0 else "asks_head"]
