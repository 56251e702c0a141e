from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.layers.softmax import SoftmaxParameters
from cortado.layers.softmax_with_loss import LossParameters, Normalization


def naive_loss(scores, labels, *, ignore_label, normalization):
    """Scores (N, classes, H, W), labels (N, H, W); Caffe's sum of -log p over its normaliser."""
    total, valid = 0.0, 0
    for n, y, x in np.ndindex(labels.shape):
        if labels[n, y, x] == ignore_label:
            continue
        exponentials = [math.exp(score) for score in scores[n, :, y, x]]
        total -= math.log(exponentials[labels[n, y, x]] / sum(exponentials))
        valid += 1
    return total / {Normalization.FULL: labels.size, Normalization.VALID: max(valid, 1),
                    Normalization.BATCH_SIZE: len(labels), Normalization.NONE: 1}[normalization]


@pytest.mark.parametrize("normalization", list(Normalization))
@pytest.mark.parametrize("ignore_label", [None, 1, 255])
def test_equals_a_loop(make_spec, make_layer, rng, normalization, ignore_label):
    scores, labels = rng.standard_normal((3, 4, 2, 2)), rng.integers(0, 4, (3, 2, 2))
    if ignore_label == 255:
        labels[0] = 255
    spec = make_spec("SoftmaxWithLoss", bottoms=2, normalization=normalization, ignore_label=ignore_label)
    loss, = make_layer(spec, scores.shape, labels.shape)(torch.from_numpy(scores), torch.from_numpy(labels))
    expected = naive_loss(scores, labels, ignore_label=ignore_label, normalization=normalization)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    assert loss.shape == ()


@pytest.mark.parametrize("axis", [2, -1])
def test_classes_on_another_axis(make_spec, make_layer, rng, axis):
    scores, labels = rng.standard_normal((3, 4, 2, 5)), rng.integers(0, 4, (3, 2, 5))
    spec = make_spec("SoftmaxWithLoss", bottoms=2, tops=2, softmax_param=SoftmaxParameters(axis=axis),
                     normalization=Normalization.VALID)
    moved = np.moveaxis(scores, 1, axis)
    loss, probabilities = make_layer(spec, moved.shape, labels.shape)(torch.from_numpy(moved.copy()),
                                                                      torch.from_numpy(labels))
    expected = naive_loss(scores, labels, ignore_label=None, normalization=Normalization.VALID)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(probabilities.sum(axis), 1)


def test_second_top_is_the_softmax(make_spec, make_layer, top_dims, rng):
    spec = make_spec("SoftmaxWithLoss", bottoms=2, tops=2)
    scores = torch.from_numpy(rng.standard_normal((2, 3)))
    loss, probabilities = make_layer(spec, (2, 3), (2,))(scores, torch.tensor([0, 2]))
    assert probabilities.sum(1).tolist() == pytest.approx([1, 1])
    assert loss.item() == pytest.approx(-(probabilities[0, 0].log() + probabilities[1, 2].log()).item() / 2)
    assert top_dims(spec, (2, 3), (2,)) == [(), (2, 3)]


def test_labels_may_be_floats_of_any_layout(make_spec, make_layer):
    """Caffe's labels are (N, 1, 1, 1) floats."""
    spec = make_spec("SoftmaxWithLoss", bottoms=2)
    layer = make_layer(spec, (2, 2), (2, 1, 1, 1))
    loss, = layer(torch.tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([1.0, 0.0]).reshape(2, 1, 1, 1))
    assert loss.item() == pytest.approx(math.log(2))


def test_all_ignored_is_no_loss(make_spec, make_layer):
    spec = make_spec("SoftmaxWithLoss", bottoms=2, ignore_label=-1)
    loss, = make_layer(spec, (2, 2), (2,))(torch.zeros(2, 2), torch.tensor([-1, -1]))
    assert loss.item() == 0


def test_gradient_is_probability_minus_label(make_spec, make_layer, rng):
    scores = torch.from_numpy(rng.standard_normal((1, 3))).requires_grad_()
    make_layer(make_spec("SoftmaxWithLoss", bottoms=2), (1, 3), (1,))(scores, torch.tensor([1]))[0].backward()
    exponentials = [math.exp(score) for score in scores[0].tolist()]
    expected = [value / sum(exponentials) - (index == 1) for index, value in enumerate(exponentials)]
    assert scores.grad[0].tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("fields", "expected"), [
    ({}, Normalization.VALID),
    ({"normalize": True}, Normalization.VALID),
    ({"normalize": False}, Normalization.BATCH_SIZE),
    ({"normalize": False, "normalization": Normalization.FULL}, Normalization.FULL),
])
def test_old_spelling_of_the_normaliser(fields, expected):
    assert LossParameters(**fields).divisor is expected


def test_wrong_number_of_labels(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("SoftmaxWithLoss", bottoms=2), (4, 10, 2, 2), (4,))
    assert str(caught.value) == ("layer 'x': bottom 'b1' must have one label for each of 16 positions of bottom 'b0' "
                                 "(4x10x2x2, classes on axis 1), not 4")


@pytest.mark.parametrize("label", [-1, 3])
def test_label_that_is_no_class(make_spec, make_layer, label):
    layer = make_layer(make_spec("SoftmaxWithLoss", bottoms=2), (1, 3), (1,))
    with pytest.raises(LayerError) as caught:
        layer(torch.zeros(1, 3), torch.tensor([label]))
    assert str(caught.value) == f"layer 'x': labels must be from 0 to 2, not {label}"


def test_counts(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("SoftmaxWithLoss"), (1, 3))
    assert str(caught.value) == "layer 'x': SoftmaxWithLoss must have 2 bottoms, not 1"
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("SoftmaxWithLoss", bottoms=2, tops=3), (1, 3), (1,))
    assert str(caught.value) == "layer 'x': SoftmaxWithLoss must have 1 to 2 tops, not 3"
