from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.layers.mvn import MVNParameters


@pytest.mark.parametrize("variance", [True, False])
@pytest.mark.parametrize("across", [True, False])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, variance, across):
    spec = make_spec("MVN", normalize_variance=variance, across_channels=across, eps=0.1)
    x = 2 + 3 * rng.standard_normal((2, 3, 2, 4))
    y, = make_layer(spec, (2, 3, 2, 4))(torch.from_numpy(x))
    rows = x.reshape((2, -1) if across else (6, -1)).tolist()
    expected = []
    for row in rows:
        mean = sum(row) / len(row)
        deviation = math.sqrt(sum((v - mean) ** 2 for v in row) / len(row))
        expected.append([(v - mean) / (deviation + 0.1 if variance else 1) for v in row])
    np.testing.assert_allclose(y.numpy().reshape(np.shape(expected)), expected, rtol=1e-10)
    assert top_dims(spec, (2, 3, 2, 4)) == [(2, 3, 2, 4)]


@pytest.mark.parametrize("variance", [True, False])
@pytest.mark.parametrize("across", [True, False])
def test_gradient(make_spec, make_layer, gradients_are_right, rng, variance, across):
    layer = make_layer(make_spec("MVN", normalize_variance=variance, across_channels=across), (2, 2, 2, 2))
    assert gradients_are_right(layer, rng.standard_normal((2, 2, 2, 2)))


def test_values_that_are_equal(make_spec, make_layer):
    x = torch.full((1, 1, 2, 2), 3.0, requires_grad=True)
    y, = make_layer(make_spec("MVN"), (1, 1, 2, 2))(x)
    y.sum().backward()
    assert y.flatten().tolist() == [0, 0, 0, 0]
    assert torch.isfinite(x.grad).all()


def test_bad_field():
    with pytest.raises(FieldError, match=r"^eps must be at least 0, not -1.0$"):
        MVNParameters(eps=-1.0)
