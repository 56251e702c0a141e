from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.layers.layer import layer_types


def naive(value, power=1.0, scale=1.0, shift=0.0):
    """One value."""
    return (shift + scale * value) ** power


@pytest.mark.parametrize("fields", [
    {}, {"power": 2.0}, {"power": 0.5, "scale": 2.0, "shift": 1.0}, {"power": -1.5}, {"scale": -0.5, "shift": 3.0},
    {"power": 0.0}, {"power": 3.0, "scale": 0.0, "shift": 2.0}])
def test_equals_a_loop(make_spec, make_layer, top_dims, gradients_are_right, rng, fields):
    spec = make_spec("Power", **fields)
    x = rng.uniform(0.5, 3, (2, 3, 4))
    expected = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        expected[index] = naive(x[index], **fields)
    layer = make_layer(spec, x.shape)
    y, = layer(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
    assert top_dims(spec, x.shape) == [x.shape]
    assert gradients_are_right(layer, x)


def test_only_the_identity_keeps_the_scale(make_spec):
    assert layer_types["Power"].keeps_scale(make_spec("Power"))
    assert not layer_types["Power"].keeps_scale(make_spec("Power", scale=2.0))
    assert not layer_types["Power"].keeps_scale(make_spec("Power", power=2.0))
