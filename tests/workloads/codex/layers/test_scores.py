"""The models' layers against their formulas, written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck
from torch.nn.functional import cross_entropy

from cortado.errors import LayerError
from cortado.workloads.codex.layers.multi_label_loss import Alike


def values(layer, *bottoms):
    return layer(*map(torch.from_numpy, bottoms))[0].detach().numpy()


def gradients_are_right(layer, *bottoms):
    return gradcheck(layer, tuple(torch.from_numpy(bottom).requires_grad_() for bottom in bottoms))


def test_complex(layer_of, rng):
    head, relation, tails = (rng.standard_normal((3, 8)) for _ in range(3))
    layer = layer_of("ComplEx", (3, 8), (3, 8))

    def numbers(vectors):
        return vectors[:, :4] + 1j * vectors[:, 4:]

    expected = (numbers(head) * numbers(relation) * numbers(tails).conj()).sum(1).real
    np.testing.assert_allclose((values(layer, head, relation) * tails).sum(1), expected, rtol=1e-12)
    assert gradients_are_right(layer, head, relation)
    with pytest.raises(LayerError) as caught:
        layer_of("ComplEx", (3, 8), (3, 6))
    assert str(caught.value) == ("layer 'x': all bottoms must have vectors of one even length, real parts before "
                                 "imaginary ones, not of 6, 8")


def test_rescal(layer_of, rng):
    head, relation, tail = rng.standard_normal((3, 4)), rng.standard_normal((3, 16)), rng.standard_normal((3, 4))
    layer = layer_of("RESCAL", (3, 4), (3, 16))
    expected = [sum(head[n, i] * relation[n, 4 * i + j] * tail[n, j] for i in range(4) for j in range(4))
                for n in range(3)]
    np.testing.assert_allclose((values(layer, head, relation) * tail).sum(1), expected, rtol=1e-12)
    assert gradients_are_right(layer, head, relation)
    with pytest.raises(LayerError) as caught:
        layer_of("RESCAL", (3, 4), (3, 12))
    assert str(caught.value) == ("layer 'x': the relation must have the 16 numbers of a matrix for vectors of 4, not "
                                 "12")


def test_tucker(layer_of, rng):
    head, relation, core = rng.standard_normal((2, 3)), rng.standard_normal((2, 5)), rng.standard_normal((15, 3))
    layer = layer_of("TuckER", (2, 3), (2, 5), blobs=(core,))
    expected = [[sum(relation[n, r] * head[n, h] * core[3 * r + h, t] for r in range(5) for h in range(3))
                 for t in range(3)] for n in range(2)]
    np.testing.assert_allclose(values(layer, head, relation), expected, rtol=1e-12)
    assert gradients_are_right(layer, head, relation)


def test_negative_distance(layer_of, rng):
    query, vectors = rng.standard_normal((3, 4)), rng.standard_normal((6, 4))
    layer = layer_of("NegativeDistance", (3, 4), blobs=(vectors,), num_output=6)
    expected = [[-np.linalg.norm(query[n] - vectors[e]) for e in range(6)] for n in range(3)]
    np.testing.assert_allclose(values(layer, query), expected, rtol=1e-12)
    assert gradients_are_right(layer, query)
    # A query on a vector is at distance 0, up to the smallest square, and moves nothing.
    on_it = torch.from_numpy(vectors[:1]).requires_grad_()
    layer(on_it)[0][0, 0].backward()
    assert layer(on_it)[0][0, 0].item() == pytest.approx(-1e-6)
    assert on_it.grad.abs().max() == 0


@pytest.mark.parametrize(("type_name", "naive"), [
    ("CandidateProduct", lambda query, candidate: query @ candidate),
    ("CandidateDistance", lambda query, candidate: -np.linalg.norm(query - candidate))])
def test_candidates(layer_of, rng, type_name, naive):
    query, candidates = rng.standard_normal((3, 4)), rng.standard_normal((3, 5, 4))
    layer = layer_of(type_name, (3, 4), (3, 5, 4))
    expected = [[naive(query[n], candidates[n, k]) for k in range(5)] for n in range(3)]
    np.testing.assert_allclose(values(layer, query, candidates), expected, rtol=1e-12)
    assert gradients_are_right(layer, query, candidates)
    with pytest.raises(LayerError) as caught:
        layer_of(type_name, (3, 4), (3, 5, 6))
    assert str(caught.value) == "layer 'x': queries and candidates must be (N, k) and (N, K, k), not 3x4 and 3x5x6"


@pytest.mark.parametrize("is_complex", [False, True])
def test_n3(layer_of, rng, is_complex):
    bottoms = [rng.standard_normal((3, 8)) for _ in range(2)]
    layer = layer_of("N3", (3, 8), (3, 8), complex=is_complex)
    moduli = [np.hypot(bottom[:, :4], bottom[:, 4:]) if is_complex else np.abs(bottom) for bottom in bottoms]
    np.testing.assert_allclose(values(layer, *bottoms), sum((modulus**3).sum() for modulus in moduli) / 3, rtol=1e-12)
    assert gradients_are_right(layer, *bottoms)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_multi_label_loss(layer_of, rng, smoothing):
    scores, labels = rng.standard_normal((3, 6)), (rng.random((3, 6)) < 0.5).astype(float)
    labels[:, 0] = 1
    layer = layer_of("MultiLabelLoss", (3, 6), (3, 6), label_smoothing=smoothing)
    total = 0
    for row, given in zip(scores, labels, strict=True):
        smoothed = (1 - smoothing) * given + (1 / 6 if smoothing else 0)
        total -= (smoothed / smoothed.sum() * np.log(np.exp(row) / np.exp(row).sum())).sum()
    np.testing.assert_allclose(values(layer, scores, labels), total / 3, rtol=1e-12)


def test_multi_label_loss_with_labels_alike_is_that_of_each_label(layer_of, rng):
    scores, labels = rng.standard_normal((3, 6)), (rng.random((3, 6)) < 0.5).astype(float)
    labels[:, 0] = 1
    layer = layer_of("MultiLabelLoss", (3, 6), (3, 6), alike=Alike.LABELS)
    rows, answers = labels.nonzero()
    expected = cross_entropy(torch.from_numpy(scores[rows]), torch.from_numpy(answers))
    np.testing.assert_allclose(values(layer, scores, labels), expected, rtol=1e-12)
