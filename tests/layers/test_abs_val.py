from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.layers.layer import layer_types


def naive(value):
    """One value."""
    return value if value > 0 else -value


@pytest.mark.parametrize("fields", [{}])
def test_equals_a_loop(make_spec, make_layer, top_dims, gradients_are_right, rng, fields):
    spec = make_spec("AbsVal", **fields)
    x = 3 * rng.standard_normal((2, 3, 4))
    expected = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        expected[index] = naive(x[index], **fields)
    layer = make_layer(spec, x.shape)
    y, = layer(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
    assert top_dims(spec, x.shape) == [x.shape]
    assert gradients_are_right(layer, x)


def test_does_not_keep_the_scale(make_spec):
    """The magnitude of -128 is no int8."""
    assert not layer_types["AbsVal"].keeps_scale(make_spec("AbsVal"))
