from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.layers.softmax_with_loss import LossParameters, Normalization
from cortado.messages.blob import encoded_blob

LABELS = [[2, 0], [1, 1]]


def naive(scores, labels, matrix, ignored, divisor):
    """Over (N, classes, W) and labels (N, W)."""
    total, counted = 0.0, 0
    for picture, row in zip(scores, labels, strict=True):
        for place, label in enumerate(row):
            if label == ignored:
                continue
            counted += 1
            exponentials = [math.exp(v) for v in picture[:, place]]
            for k, value in enumerate(exponentials):
                total -= matrix[label][k] * math.log(value / sum(exponentials))
    return total / {Normalization.VALID: counted, Normalization.FULL: 4, Normalization.BATCH_SIZE: 2,
                    Normalization.NONE: 1}[divisor]


@pytest.mark.parametrize("ignored", [None, 1])
@pytest.mark.parametrize("divisor", Normalization)
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, ignored, divisor):
    spec = make_spec("InfogainLoss", bottoms=3, tops=2,
                     loss_param=LossParameters(ignore_label=ignored, normalization=divisor))
    scores, matrix = rng.standard_normal((2, 3, 2)), rng.uniform(0, 1, (3, 3))
    bottoms = ((2, 3, 2), (2, 2), (3, 3))
    y, softmax = make_layer(spec, *bottoms)(torch.from_numpy(scores), torch.tensor(LABELS), torch.from_numpy(matrix))
    np.testing.assert_allclose(y.item(), naive(scores, LABELS, matrix, ignored, divisor), rtol=1e-12)
    np.testing.assert_allclose(softmax.sum(1).numpy(), np.ones((2, 2)))
    assert top_dims(spec, *bottoms) == [(), (2, 3, 2)]


def test_the_matrix_of_a_file(make_spec, make_layer, rng, tmp_path):
    matrix = rng.uniform(0, 1, (3, 3)).astype(np.float32)
    (tmp_path / "h.binaryproto").write_bytes(encoded_blob(matrix.reshape(1, 1, 3, 3)))
    spec = make_spec("InfogainLoss", bottoms=2, source=str(tmp_path / "h.binaryproto"))
    scores = rng.standard_normal((2, 3, 2))
    y, = make_layer(spec, (2, 3, 2), (2, 2))(torch.from_numpy(scores), torch.tensor(LABELS))
    np.testing.assert_allclose(y.item(), naive(scores, LABELS, matrix, None, Normalization.VALID), rtol=1e-6)


def test_with_the_unit_matrix_it_is_softmax_with_loss(make_spec, make_layer, rng):
    scores, labels = torch.from_numpy(rng.standard_normal((5, 4))), torch.tensor([3, 0, 1, 1, 2])
    infogain = make_layer(make_spec("InfogainLoss", bottoms=3), (5, 4), (5,), (4, 4))
    softmax = make_layer(make_spec("SoftmaxWithLoss", bottoms=2), (5, 4), (5,))
    np.testing.assert_allclose(infogain(scores, labels, torch.eye(4))[0].item(), softmax(scores, labels)[0].item())


def test_gradient(make_spec, make_layer, rng):
    layer = make_layer(make_spec("InfogainLoss", bottoms=3), (2, 3, 2), (2, 2), (3, 3))
    matrix = torch.from_numpy(rng.uniform(0, 1, (3, 3)))
    scores = torch.from_numpy(rng.standard_normal((2, 3, 2))).requires_grad_()
    assert torch.autograd.gradcheck(lambda scores: layer(scores, torch.tensor(LABELS), matrix), scores)


@pytest.mark.parametrize(("source", "bottoms", "message"), [
    ("", [(2, 3), (2,)], "the matrix must be given either as source or as the third bottom"),
    ("h", [(2, 3), (2,), (3, 3)], "the matrix must be given either as source or as the third bottom"),
    ("", [(2, 3), (2,), (3, 4)], "bottom 'b2' must have 3 x 3 values, one for each pair of classes, not 12"),
])
def test_bad_bottoms(make_spec, top_dims, source, bottoms, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("InfogainLoss", bottoms=len(bottoms), source=source), *bottoms)
    assert str(caught.value) == f"layer 'x': {message}"


def test_a_file_that_is_not_there(make_spec, make_layer):
    spec = replace(make_spec("InfogainLoss", bottoms=2, source="no.binaryproto"))
    with pytest.raises(LayerError) as caught:
        make_layer(spec, (2, 3), (2,))
    assert str(caught.value) == ("layer 'x': source must be a matrix: no.binaryproto: the file cannot be read: No such "
                                 "file or directory")
