from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.graph.shape import TensorShape
from cortado.layers.inner_product import InnerProduct, InnerProductParameters


def naive_inner_product(x, weight, bias):
    """(N, C) and (K, C) -> (N, K)."""
    y = np.zeros((len(x), len(weight)))
    for n, k in np.ndindex(y.shape):
        y[n, k] = bias[k]
        for c in range(weight.shape[1]):
            y[n, k] += x[n, c] * weight[k, c]
    return y


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize(("axis", "leading"), [(1, (2,)), (2, (2, 3)), (-1, (2, 3, 4)), (0, ())])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, axis, leading, transpose):
    spec = make_spec("InnerProduct", num_output=6, axis=axis, transpose=transpose)
    x = rng.standard_normal((2, 3, 4, 5))
    layer = make_layer(spec, x.shape).double()
    rows = x.reshape(int(np.prod(leading)), -1)
    weight, bias = rng.standard_normal((6, rows.shape[1])), rng.standard_normal(6)
    with torch.no_grad():
        layer.blobs[0].copy_(torch.from_numpy(weight.T if transpose else weight))
        layer.blobs[1].copy_(torch.from_numpy(bias))
        y, = layer(torch.from_numpy(x))
    expected = naive_inner_product(rows, weight, bias).reshape(*leading, 6)
    np.testing.assert_allclose(y.numpy(), expected, rtol=0, atol=1e-12)
    assert top_dims(spec, x.shape) == [expected.shape]


def test_blob_shapes_and_macs(make_spec):
    """VGG-16's fc6: 102,760,448 weights, used once a picture."""
    spec = make_spec("InnerProduct", num_output=4096, bias_term=False)
    bottoms = (TensorShape((2, 512, 7, 7)),)
    assert [shape.dims for shape in InnerProduct.blob_shapes(spec, bottoms)] == [(4096, 25088)]
    assert InnerProduct.macs(spec, bottoms) == 2 * 102_760_448


def test_bad_field():
    with pytest.raises(FieldError) as caught:
        InnerProductParameters(num_output=0)
    assert str(caught.value) == "num_output must be at least 1, not 0"


def test_bad_axis(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("InnerProduct", num_output=1, axis=2), (1, 4))
    assert str(caught.value) == "layer 'x': axis must be from -2 to 1 for a bottom of 2 dimensions, not 2"


@pytest.mark.parametrize("transpose", [False, True])
def test_gradient(make_spec, make_layer, fill, gradients_are_right, rng, transpose):
    layer = make_layer(make_spec("InnerProduct", num_output=3, transpose=transpose), (2, 2, 2))
    fill(layer, *(rng.standard_normal(blob.shape) for blob in layer.blobs))
    assert gradients_are_right(layer, rng.standard_normal((2, 2, 2)))
