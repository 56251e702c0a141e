"""Triple classification: is a triple true? Judged against triples that a person has found to be false.

Source: Safavi & Koutra 2020, section 5.2, and the authors' `scripts/tc.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortado.workloads.codex.dataset import TripleSet

# The score of each of (n, 3) triples.
Score = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Classification:
    """Accuracy and F1 of the true class."""

    accuracy: float
    f1: float


def thresholds(scores: np.ndarray, relations: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """For each relation the lowest score that gives the best accuracy where scores at or above it are called true."""
    found = {}
    for relation in np.unique(relations):
        own, true = scores[relations == relation], labels[relations == relation]
        candidates = np.unique(own)
        accuracies = ((own >= candidates[:, None]) == true).mean(1)
        found[int(relation)] = float(candidates[accuracies.argmax()])
    return found


def classify(triples: TripleSet, score: Score) -> Classification:
    """Thresholds by relation from the validation triples, accuracy on the test triples.

    A relation without validation triples has the one threshold that is best over all of them. The authors' script
    means to do so too, but calls such triples false; no relation of CoDEx-S or CoDEx-M is one.
    """
    valid, labels = _labelled(triples, "valid")
    scores = score(valid)
    of_relations = thresholds(scores, valid[:, 1], labels)
    of_all = thresholds(scores, np.zeros(len(valid), np.int64), labels)[0]
    test, truth = _labelled(triples, "test")
    called = score(test) >= np.array([of_relations.get(int(relation), of_all) for relation in test[:, 1]])
    hits = np.count_nonzero(called & truth)
    return Classification(accuracy=float((called == truth).mean()),
                          f1=float(2 * hits / (np.count_nonzero(called) + np.count_nonzero(truth))))


def _labelled(triples: TripleSet, split: str) -> tuple[np.ndarray, np.ndarray]:
    true, false = triples.splits[split], triples.negatives[split]
    return np.concatenate([true, false]), np.arange(len(true) + len(false)) < len(true)
