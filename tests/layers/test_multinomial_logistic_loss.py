from __future__ import annotations

import math

import numpy as np
import torch


def test_equals_a_loop(make_spec, make_layer, top_dims, rng):
    spec = make_spec("MultinomialLogisticLoss", bottoms=2)
    probabilities, labels = rng.uniform(0.01, 1, (4, 3)), [2, 0, 1, 1]
    probabilities[3, 1] = 0
    expected = -sum(math.log(max(row[label], 1e-20)) for row, label in zip(probabilities, labels, strict=True)) / 4
    y, = make_layer(spec, (4, 3), (4,))(torch.from_numpy(probabilities), torch.tensor(labels).double())
    np.testing.assert_allclose(y.item(), expected, rtol=1e-12)
    assert top_dims(spec, (4, 3), (4,)) == [()]


def test_gradient(make_spec, make_layer, rng):
    layer = make_layer(make_spec("MultinomialLogisticLoss", bottoms=2), (4, 3), (4,))
    values = torch.from_numpy(rng.uniform(0.1, 1, (4, 3))).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: layer(values, torch.tensor([2, 0, 1, 1])), values)
