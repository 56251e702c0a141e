from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.layers.log import LogParameters


def naive(value, base=math.e, scale=1.0, shift=0.0):
    """One value."""
    return math.log(shift + scale * value, base)


@pytest.mark.parametrize("fields", [{}, {"base": 2.0}, {"base": 10.0, "scale": 2.0, "shift": 0.25}])
def test_equals_a_loop(make_spec, make_layer, top_dims, gradients_are_right, rng, fields):
    spec = make_spec("Log", **fields)
    x = rng.uniform(0.5, 3, (2, 3, 4))
    expected = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        expected[index] = naive(x[index], **fields)
    layer = make_layer(spec, x.shape)
    y, = layer(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
    assert top_dims(spec, x.shape) == [x.shape]
    assert gradients_are_right(layer, x)


@pytest.mark.parametrize("base", [1.0, 0.0, -2.0])
def test_bad_base(base):
    with pytest.raises(FieldError) as caught:
        LogParameters(base=base)
    assert str(caught.value) == f"base must be above 0 and not 1, or -1 for e, not {base}"
