from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.graph.shape import TensorShape
from cortado.layers.scale import Scale, ScaleParameters


def naive_scale(x, gamma, beta, axis):
    """gamma and beta cover the axes of x from `axis` on."""
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        covered = index[axis:axis + gamma.ndim]
        y[index] = x[index] * gamma[covered] + beta[covered]
    return y


CASES = [
    ({}, (3,), 1), ({"axis": 0}, (2,), 0), ({"axis": 1, "num_axes": 2}, (3, 4), 1),
    ({"axis": -1}, (5,), 3), ({"axis": 1, "num_axes": -1}, (3, 4, 5), 1), ({"num_axes": 0}, (), 1),
]


@pytest.mark.parametrize("bias_term", [False, True])
@pytest.mark.parametrize(("fields", "covered", "axis"), CASES)
def test_one_bottom(make_spec, make_layer, fill, gradients_are_right, rng, fields, covered, axis, bias_term):
    spec = make_spec("Scale", bias_term=bias_term, **fields)
    x, gamma, beta = (rng.standard_normal(dims) for dims in ((2, 3, 4, 5), covered, covered))
    gamma, beta = np.asarray(gamma), np.asarray(beta)
    layer = make_layer(spec, x.shape)
    fill(layer, *((gamma, beta) if bias_term else (gamma,)))
    y, = layer(torch.from_numpy(x))
    expected = naive_scale(x, gamma, beta if bias_term else np.zeros(covered), axis)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-12, atol=1e-14)
    assert gradients_are_right(layer, x)
    assert Scale.shapes(spec, (TensorShape(x.shape),)) == (TensorShape(x.shape),)


@pytest.mark.parametrize("bias_term", [False, True])
@pytest.mark.parametrize(("axis", "covered"), [(0, (2, 3)), (1, (3,)), (2, (4, 5)), (1, ()), (-2, (4,))])
def test_two_bottoms(make_spec, make_layer, fill, gradients_are_right, rng, axis, covered, bias_term):
    spec = make_spec("Scale", bottoms=2, axis=axis, bias_term=bias_term)
    x, gamma, beta = (np.asarray(rng.standard_normal(dims)) for dims in ((2, 3, 4, 5), covered, covered))
    layer = make_layer(spec, x.shape, covered)
    fill(layer, *((beta,) if bias_term else ()))
    y, = layer(torch.from_numpy(x), torch.from_numpy(gamma))
    expected = naive_scale(x, gamma, beta if bias_term else np.zeros(covered), axis % 4)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-12, atol=1e-14)
    assert gradients_are_right(layer, x, gamma)


def test_bad_field():
    with pytest.raises(FieldError) as caught:
        ScaleParameters(num_axes=-2)
    assert str(caught.value) == "num_axes must be at least 0, or -1 for all, not -2"


@pytest.mark.parametrize(("fields", "bottoms", "message"), [
    ({"axis": 1, "num_axes": 2}, [(2, 3)],
     "axis 1 and num_axes 2 must be within the 2 dimensions of bottom 'b0', 2x3"),
    ({"axis": 2}, [(2, 3)], "axis must be from -2 to 1 for a bottom of 2 dimensions, not 2"),
    ({}, [(2, 3, 4), (3, 3)], "bottom 'b1' must have dimensions of bottom 'b0' (2x3x4) from axis 1 on, not 3x3"),
])
def test_bad_bottoms(make_spec, top_dims, fields, bottoms, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Scale", bottoms=len(bottoms), **fields), *bottoms)
    assert str(caught.value) == f"layer 'x': {message}"
