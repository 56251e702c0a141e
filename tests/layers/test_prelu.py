from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.frontends.prototxt import parse_prototxt
from cortado.net.weights import match_weights


def naive_prelu(x, slopes):
    """(N, C, ...) with a slope for each channel."""
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        y[index] = x[index] if x[index] > 0 else slopes[index[1]] * x[index]
    return y


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("dims", [(2, 3, 4, 2), (2, 3)])
def test_equals_a_loop(make_spec, make_layer, fill, top_dims, gradients_are_right, rng, dims, shared):
    spec = make_spec("PReLU", channel_shared=shared)
    x, slopes = rng.standard_normal(dims), rng.uniform(-0.5, 1.5, 3)
    layer = make_layer(spec, dims)
    fill(layer, slopes[0] if shared else slopes)
    y, = layer(torch.from_numpy(x))
    expected = naive_prelu(x, [slopes[0]] * 3 if shared else slopes)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-12)
    assert top_dims(spec, dims) == [dims]
    assert gradients_are_right(layer, x)


def test_a_shared_slope_of_an_old_file():
    """Files with four dimensions write the scalar 1x1x1x1."""
    net = parse_prototxt("""
        input: "data" input_shape { dim: 1 dim: 3 }
        layer { name: "prelu" type: "PReLU" bottom: "data" top: "a" prelu_param { channel_shared: true } }
    """)
    assert match_weights(net, {"prelu": (np.full((1, 1, 1, 1), 0.5),)})["prelu"][0].shape == ()


def test_bad_bottom(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("PReLU"), (4,))
    assert str(caught.value) == "layer 'x': bottom 'b0' must have at least two dimensions (N, C, ...), not 4"
