from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.layers.relu import ReLU


@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0, -0.5])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, slope):
    spec = make_spec("ReLU", negative_slope=slope)
    x = rng.standard_normal((2, 3, 4))
    expected = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        expected[index] = x[index] if x[index] > 0 else slope * x[index]
    y, = make_layer(spec, x.shape)(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-15, atol=0)
    assert top_dims(spec, x.shape) == [x.shape]


def test_only_a_plain_one_keeps_the_scale(make_spec):
    assert ReLU.keeps_scale(make_spec("ReLU"))
    assert not ReLU.keeps_scale(make_spec("ReLU", negative_slope=0.1))


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_gradient(make_spec, make_layer, gradients_are_right, rng, slope):
    layer = make_layer(make_spec("ReLU", negative_slope=slope), (2, 3))
    assert gradients_are_right(layer, rng.standard_normal((2, 3)))
