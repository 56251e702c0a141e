from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import LayerError


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, axis):
    spec = make_spec("Softmax", axis=axis)
    x = rng.standard_normal((2, 3, 4))
    expected = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        total = 0.0
        for place in range(x.shape[axis]):
            other = list(index)
            other[axis] = place
            total += math.exp(x[tuple(other)])
        expected[index] = math.exp(x[index]) / total
    y, = make_layer(spec, x.shape)(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=0)
    assert top_dims(spec, x.shape) == [x.shape]


def test_large_values_do_not_overflow(make_spec, make_layer):
    y, = make_layer(make_spec("Softmax"), (1, 2))(torch.tensor([[1000.0, 1000.0]]))
    assert y.tolist() == [[0.5, 0.5]]


def test_bad_axis(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Softmax", axis=-3), (1, 4))
    assert str(caught.value) == "layer 'x': axis must be from -2 to 1 for a bottom of 2 dimensions, not -3"


def test_gradient(make_spec, make_layer, gradients_are_right, rng):
    assert gradients_are_right(make_layer(make_spec("Softmax"), (2, 3, 2)), rng.standard_normal((2, 3, 2)))
