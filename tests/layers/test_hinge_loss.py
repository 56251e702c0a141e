from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.layers.hinge_loss import HingeNorm


@pytest.mark.parametrize("norm", HingeNorm)
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, norm):
    spec = make_spec("HingeLoss", bottoms=2, norm=norm)
    scores, labels = 2 * rng.standard_normal((4, 3)), [2, 0, 1, 1]
    total = 0.0
    for row, label in zip(scores.tolist(), labels, strict=True):
        for place, score in enumerate(row):
            margin = max(0.0, 1 - (score if place == label else -score))
            total += margin if norm is HingeNorm.L1 else margin**2
    y, = make_layer(spec, (4, 3), (4,))(torch.from_numpy(scores), torch.tensor(labels).double())
    np.testing.assert_allclose(y.item(), total / 4, rtol=1e-12)
    assert top_dims(spec, (4, 3), (4,)) == [()]


@pytest.mark.parametrize("norm", HingeNorm)
def test_gradient(make_spec, make_layer, rng, norm):
    layer = make_layer(make_spec("HingeLoss", bottoms=2, norm=norm), (4, 3), (4,))
    scores = torch.from_numpy(rng.standard_normal((4, 3))).requires_grad_()
    assert torch.autograd.gradcheck(lambda scores: layer(scores, torch.tensor([2, 0, 1, 1])), scores)


def test_refusals(make_spec, make_layer, top_dims):
    spec = make_spec("HingeLoss", bottoms=2)
    with pytest.raises(LayerError) as caught:
        top_dims(spec, (4, 3), (3,))
    assert str(caught.value) == "layer 'x': bottom 'b1' must have one label for each row of bottom 'b0' (4x3), not 3"
    with pytest.raises(LayerError, match=r"^layer 'x': labels must be from 0 to 2, not 3$"):
        make_layer(spec, (1, 3), (1,))(torch.zeros(1, 3), torch.tensor([3.0]))
