from __future__ import annotations

import math

import numpy as np
import pytest
import torch


def naive(value):
    """One value."""
    return 1 / (1 + math.exp(-value))


@pytest.mark.parametrize("fields", [{}])
def test_equals_a_loop(make_spec, make_layer, top_dims, gradients_are_right, rng, fields):
    spec = make_spec("Sigmoid", **fields)
    x = 3 * rng.standard_normal((2, 3, 4))
    expected = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        expected[index] = naive(x[index], **fields)
    layer = make_layer(spec, x.shape)
    y, = layer(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
    assert top_dims(spec, x.shape) == [x.shape]
    assert gradients_are_right(layer, x)
