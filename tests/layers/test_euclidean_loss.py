from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError


def test_equals_a_loop(make_spec, make_layer, top_dims, gradients_are_right, rng):
    spec = make_spec("EuclideanLoss", bottoms=2)
    first, second = rng.standard_normal((3, 4)), rng.standard_normal((3, 2, 2))
    total = 0.0
    for one, other in zip(first.reshape(-1), second.reshape(-1), strict=True):
        total += (one - other) ** 2
    layer = make_layer(spec, first.shape, second.shape)
    y, = layer(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(y.item(), total / 6, rtol=1e-12)
    assert top_dims(spec, first.shape, second.shape) == [()]
    assert gradients_are_right(layer, first, second)


def test_bad_bottoms(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("EuclideanLoss", bottoms=2), (3, 4), (4, 3))
    assert str(caught.value) == ("layer 'x': bottom 'b1' must have as many pictures and values as bottom 'b0' (3x4), "
                                 "not 4x3")
