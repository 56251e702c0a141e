from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.accuracy import AccuracyParameters


def naive_accuracy(scores, labels, *, top_k, ignore_label):
    """Scores (N, classes, W), labels (N, W): the share of labels with fewer than top_k others at least as good."""
    right = counted = 0
    for n, x in np.ndindex(labels.shape):
        if labels[n, x] == ignore_label:
            continue
        own = scores[n, labels[n, x], x]
        others = sum(scores[n, c, x] >= own for c in range(scores.shape[1]) if c != labels[n, x])
        counted += 1
        right += others < top_k
    return right / counted


@pytest.mark.parametrize("top_k", [1, 2, 4])
@pytest.mark.parametrize("ignore_label", [None, 2])
def test_equals_a_loop(make_spec, make_layer, rng, top_k, ignore_label):
    # Few different scores, so that there are ties.
    scores, labels = rng.integers(0, 5, (20, 4, 3)).astype(float), rng.integers(0, 4, (20, 3))
    spec = make_spec("Accuracy", bottoms=2, top_k=top_k, ignore_label=ignore_label)
    share, = make_layer(spec, scores.shape, labels.shape)(torch.from_numpy(scores), torch.from_numpy(labels))
    assert share.item() == pytest.approx(naive_accuracy(scores, labels, top_k=top_k, ignore_label=ignore_label))


@pytest.mark.parametrize("ignore_label", [None, 2])
def test_of_each_class_by_itself(make_spec, make_layer, top_dims, rng, ignore_label):
    scores, labels = rng.standard_normal((20, 5, 3)), rng.integers(0, 4, (20, 3))
    spec = make_spec("Accuracy", bottoms=2, tops=2, top_k=2, ignore_label=ignore_label)
    share, shares = make_layer(spec, scores.shape, labels.shape)(torch.from_numpy(scores), torch.from_numpy(labels))
    assert share.item() == pytest.approx(naive_accuracy(scores, labels, top_k=2, ignore_label=ignore_label))
    for own in range(5):
        others = np.where(labels == own, labels, -1)
        # Nobody has label 4.
        expected = 0 if own in (ignore_label, 4) else naive_accuracy(scores, others, top_k=2, ignore_label=-1)
        assert shares[own].item() == pytest.approx(expected)
    assert top_dims(spec, scores.shape, labels.shape) == [(), (5,)]


def test_a_network_that_says_nothing_is_never_right(make_spec, make_layer):
    share, = make_layer(make_spec("Accuracy", bottoms=2), (4, 3), (4,))(torch.zeros(4, 3), torch.tensor([0, 1, 2, 0]))
    assert share.item() == 0


def test_classes_on_the_last_axis(make_spec, make_layer, top_dims):
    spec = make_spec("Accuracy", bottoms=2, axis=-1)
    scores = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    share, = make_layer(spec, (1, 2, 2), (1, 2))(scores, torch.tensor([[1, 1]]))
    assert share.item() == 0.5
    assert top_dims(spec, (1, 2, 2), (1, 2)) == [()]


def test_bad_field():
    with pytest.raises(FieldError) as caught:
        AccuracyParameters(top_k=0)
    assert str(caught.value) == "top_k must be at least 1, not 0"


def test_more_than_all_classes(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Accuracy", bottoms=2, top_k=5), (4, 3), (4,))
    assert str(caught.value) == "layer 'x': top_k must be at most the 3 classes, not 5"
