"""The baseline that learns nothing: an entity is as likely an answer as it is frequent with the relation.

Source: Safavi & Koutra 2020, section 6.2, and the authors' `scripts/baseline.py`.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cortado.workloads.codex.dataset import TripleSet
from cortado.workloads.ranking import KnownAnswers, Ranking, Ties, rank


class Frequency:
    """Scores of every entity as the other end of (entity, relation): its share of that end in training.

    `answer` is the column of a triple that is asked for: 2 for objects, 0 for subjects. The authors' script drops
    what training has already seen for the query; filtered ranks do so anyway.
    """

    def __init__(self, triples: TripleSet, *, answer: int) -> None:
        train = triples.splits["train"]
        counts = np.zeros((len(triples.relations), len(triples.entities)))
        np.add.at(counts, (train[:, 1], train[:, answer]), 1)
        self._shares = torch.from_numpy(counts / np.maximum(counts.sum(1, keepdims=True), 1))

    def __call__(self, queries: np.ndarray) -> Tensor:
        """Shares, double (n, entities), of queries (n, 2): entity and relation."""
        return self._shares[torch.from_numpy(queries[:, 1])]


def frequency_baseline(triples: TripleSet, *, split: str = "test") -> Ranking:
    """The baseline on both directions of a split, filtered, ties by the mean."""
    everything, asked = triples.triples, triples.splits[split]
    return Ranking.of([
        rank(asked[:, [given, 1]], asked[:, answer], Frequency(triples, answer=answer),
             KnownAnswers(everything[:, [given, 1]], everything[:, answer]), Ties.MEAN)
        for given, answer in ((0, 2), (2, 0))])
