from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.layers.exp import ExpParameters


def naive(value, base=math.e, scale=1.0, shift=0.0):
    """One value."""
    return base ** (shift + scale * value)


@pytest.mark.parametrize("fields", [{}, {"base": 2.0}, {"base": 0.5, "scale": -2.0, "shift": 0.25}, {"base": 1.0}])
def test_equals_a_loop(make_spec, make_layer, top_dims, gradients_are_right, rng, fields):
    spec = make_spec("Exp", **fields)
    x = rng.standard_normal((2, 3, 4))
    expected = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        expected[index] = naive(x[index], **fields)
    layer = make_layer(spec, x.shape)
    y, = layer(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
    assert top_dims(spec, x.shape) == [x.shape]
    assert gradients_are_right(layer, x)


def test_bad_base():
    with pytest.raises(FieldError) as caught:
        ExpParameters(base=0.0)
    assert str(caught.value) == "base must be above 0, or -1 for e, not 0.0"
