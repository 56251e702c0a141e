from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.bias import BiasParameters


def naive_bias(x, beta, axis):
    """beta covers the axes of x from `axis` on."""
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        y[index] = x[index] + beta[index[axis:axis + beta.ndim]]
    return y


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("axis", "covered"), [(1, (3,)), (0, (2, 3)), (-1, (4,)), (1, ())])
def test_equals_a_loop(make_spec, make_layer, fill, top_dims, gradients_are_right, rng, axis, covered, own):
    x, beta = rng.standard_normal((2, 3, 4)), np.asarray(rng.standard_normal(covered))
    spec = make_spec("Bias", bottoms=1 if own else 2, axis=axis, num_axes=len(covered))
    bottoms = (x,) if own else (x, beta)
    layer = make_layer(spec, *(bottom.shape for bottom in bottoms))
    fill(layer, *((beta,) if own else ()))
    y, = layer(*map(torch.from_numpy, bottoms))
    np.testing.assert_allclose(y.detach().numpy(), naive_bias(x, beta, axis % 3), rtol=1e-12, atol=1e-14)
    assert top_dims(spec, *(bottom.shape for bottom in bottoms)) == [x.shape]
    assert gradients_are_right(layer, *bottoms)


def test_bad_field():
    with pytest.raises(FieldError) as caught:
        BiasParameters(num_axes=-2)
    assert str(caught.value) == "num_axes must be at least 0, or -1 for all, not -2"


def test_bad_bottom(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Bias", bottoms=2), (2, 3), (2,))
    assert str(caught.value) == "layer 'x': bottom 'b1' must have dimensions of bottom 'b0' (2x3) from axis 1 on, not 2"
