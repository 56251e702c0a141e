"""Scores, losses and penalties of corrupted facts, against facts written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from cortado.errors import LayerError


def corrupted(rng, facts, count, width):
    """Heads, tails, replacements and which end each is for; and all facts written out, (facts, 1 + count, 2, width)."""
    heads, tails = rng.standard_normal((2, facts, width))
    replacements = rng.standard_normal((facts, count, width))
    replaces_head = (rng.random((facts, count)) < 0.5).astype(float)
    tiled = np.stack([np.repeat(heads[:, None], 1 + count, 1), np.repeat(tails[:, None], 1 + count, 1)], 2)
    for n in range(facts):
        for k in range(count):
            tiled[n, 1 + k, 0 if replaces_head[n, k] else 1] = replacements[n, k]
    return heads, tails, replacements, replaces_head, tiled


@pytest.mark.parametrize("translated", [False, True])
def test_corrupted_scores(layer_of, rng, translated):
    heads, tails, replacements, replaces_head, tiled = corrupted(rng, 4, 5, 6)
    # Any score that is linear in both ends: <h A, t> + <p, t> for a translation p.
    matrix, move = rng.standard_normal((6, 6)), rng.standard_normal((4, 6)) * translated
    asks_tail, asks_head = heads @ matrix + move, tails @ matrix.T
    offset = (move * tails).sum(1)
    expected = np.einsum("nkx,xy,nky->nk", tiled[:, :, 0], matrix, tiled[:, :, 1]) + np.einsum(
        "nx,nkx->nk", move, tiled[:, :, 1])
    bottoms = [asks_tail, asks_head, tails, replacements, replaces_head, *([offset] if translated else [])]
    layer = layer_of("CorruptedScore", *(bottom.shape for bottom in bottoms), tops=2)
    true, false = layer(*map(torch.from_numpy, bottoms))
    np.testing.assert_allclose(true, expected[:, 0], rtol=1e-10)
    np.testing.assert_allclose(false, expected[:, 1:], rtol=1e-10)


def test_softplus_loss(layer_of, rng):
    true, false = rng.standard_normal(4), rng.standard_normal((4, 3))
    layer = layer_of("SoftplusLoss", (4,), (4, 3))
    expected = (np.mean([math.log(1 + math.exp(-p)) for p in true])
                + np.mean([math.log(1 + math.exp(q)) for q in false.flat])) / 2
    assert layer(torch.from_numpy(true), torch.from_numpy(false))[0].item() == pytest.approx(expected, rel=1e-12)


def test_corrupted_square(layer_of, rng):
    *bottoms, tiled = corrupted(rng, 4, 5, 8)
    layer = layer_of("CorruptedSquare", *(bottom.shape for bottom in bottoms))
    # The mean square of each of four components of two numbers, over all facts, for heads and tails.
    expected = (tiled.reshape(-1, 2, 4, 2)**2).mean((0, 3)).sum()
    values = [torch.from_numpy(bottom) for bottom in bottoms]
    assert layer(*values)[0].item() == pytest.approx(expected, rel=1e-12)
    assert gradcheck(lambda *ends: layer(*ends, values[3]), [value.requires_grad_() for value in values[:3]])


def test_mean_square(layer_of, rng):
    bottoms = rng.standard_normal((2, 3, 8))
    expected = (bottoms.reshape(2, 3, 4, 2)**2).mean((1, 3)).sum()
    layer = layer_of("HypercomplexMeanSquare", (3, 8), (3, 8))
    assert layer(*map(torch.from_numpy, bottoms))[0].item() == pytest.approx(expected, rel=1e-12)


def test_a_refusal(layer_of):
    with pytest.raises(LayerError) as caught:
        layer_of("CorruptedScore", (4, 6), (4, 6), (4, 6), (4, 5, 7), (4, 5), tops=2)
    assert str(caught.value) == ("layer 'x': queries, tails and replacements must be (N, W), (N, W), (N, W) and (N, K, "
                                 "W), not 4x6, 4x6, 4x6 and 4x5x7")
