from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.layers.softmax_with_loss import Normalization


@pytest.mark.parametrize(("fields", "divisor"), [
    ({}, 3), ({"normalization": Normalization.FULL}, 12), ({"normalization": Normalization.VALID}, 12),
    ({"normalization": Normalization.NONE}, 1), ({"normalize": True}, 12), ({"normalize": False}, 3),
    ({"ignore_label": 1}, 3), ({"ignore_label": 1, "normalization": Normalization.VALID}, None),
])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, fields, divisor):
    spec = make_spec("SigmoidCrossEntropyLoss", bottoms=2, **fields)
    scores, targets = rng.standard_normal((3, 4)), rng.integers(0, 2, (3, 4)).astype(np.float64)
    total, counted = 0.0, 0
    for score, target in zip(scores.reshape(-1), targets.reshape(-1), strict=True):
        if target == fields.get("ignore_label"):
            continue
        sigmoid = 1 / (1 + math.exp(-score))
        total -= target * math.log(sigmoid) + (1 - target) * math.log(1 - sigmoid)
        counted += 1
    y, = make_layer(spec, (3, 4), (3, 4))(torch.from_numpy(scores), torch.from_numpy(targets))
    np.testing.assert_allclose(y.item(), total / (counted if divisor is None else divisor), rtol=1e-12)
    assert top_dims(spec, (3, 4), (3, 4)) == [()]


def test_gradient(make_spec, make_layer, rng):
    """Of the scores: the sigmoid less the target."""
    scores = torch.from_numpy(rng.standard_normal((2, 3))).requires_grad_()
    targets = torch.from_numpy(rng.uniform(0, 1, (2, 3)))
    layer = make_layer(make_spec("SigmoidCrossEntropyLoss", bottoms=2), (2, 3), (2, 3))
    assert torch.autograd.gradcheck(lambda values: layer(values, targets), (scores,))


def test_large_scores_stay_finite(make_spec, make_layer):
    layer = make_layer(make_spec("SigmoidCrossEntropyLoss", bottoms=2), (1, 2), (1, 2))
    y, = layer(torch.tensor([[500.0, -500.0]]), torch.tensor([[0.0, 1.0]]))
    assert y.item() == 1000.0


def test_bad_bottoms(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("SigmoidCrossEntropyLoss", bottoms=2), (3, 4), (3, 5))
    assert str(caught.value) == "layer 'x': bottom 'b1' must have as many values as bottom 'b0' (3x4), not 3x5"
