from __future__ import annotations

import numpy as np
import pytest

from cortado.workloads.codex.classification import classify, thresholds
from cortado.workloads.codex.dataset import TripleSet


def naive_threshold(scores, labels):
    """By trying every score, the lowest first."""
    best, at = -1, None
    for threshold in sorted(scores):
        right = sum((score >= threshold) == label for score, label in zip(scores, labels, strict=True))
        if right > best:
            best, at = right, threshold
    return at


def test_thresholds_equal_a_loop(rng):
    scores, relations = rng.integers(0, 9, 80) / 3, rng.integers(0, 5, 80)
    labels = rng.random(80) < 0.5
    assert thresholds(scores, relations, labels) == {
        relation: naive_threshold(scores[relations == relation], labels[relations == relation])
        for relation in range(5)}


def test_accuracy_and_f1():
    # Relation 0 is true from score 5 on; relation 1 has no validation triples and takes the threshold over all.
    true, false = np.array([[0, 0, 5], [0, 0, 6]]), np.array([[0, 0, 1], [0, 0, 4]])
    triples = TripleSet(name="tiny", entities=tuple("abcdefghij"), relations=("r", "s"),
                        splits={"train": true[:0], "valid": true, "test": np.array([[1, 0, 7], [1, 1, 8], [1, 0, 2]])},
                        negatives={"valid": false, "test": np.array([[1, 0, 9], [1, 1, 3], [1, 0, 0]])})
    found = classify(triples, lambda asked: asked[:, 2].astype(float))
    # Right: 7 and 8 true, 3 and 0 false; wrong: 2 called false, 9 called true.
    assert (found.accuracy, found.f1) == (pytest.approx(4 / 6), pytest.approx(2 * 2 / (3 + 3)))
