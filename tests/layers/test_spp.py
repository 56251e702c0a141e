from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.pooling import PoolMethod
from cortado.layers.spp import SPPParameters


def naive(x, height, method):
    """Level by level, channel by channel, place by place: windows beside each other from the pad on."""
    rows = []
    for picture in x:
        row = []
        for level in range(height):
            places = 2**level
            kernels = [math.ceil(size / places) for size in picture.shape[1:]]
            pads = [(kernel * places - size + 1) // 2 for kernel, size in zip(kernels, picture.shape[1:], strict=True)]
            for channel in picture:
                for i, j in np.ndindex(places, places):
                    begin = [place * kernel - pad for place, kernel, pad in zip((i, j), kernels, pads, strict=True)]
                    window = [channel[r, c] for r in range(begin[0], begin[0] + kernels[0])
                              for c in range(begin[1], begin[1] + kernels[1])
                              if 0 <= r < channel.shape[0] and 0 <= c < channel.shape[1]]
                    if method is PoolMethod.MAX:
                        row.append(max(window))
                        continue
                    # Of the window within the padded picture.
                    area = math.prod(min(b + k, size + p) - b for b, k, size, p in
                                     zip(begin, kernels, channel.shape, pads, strict=True))
                    row.append(sum(window) / area)
        rows.append(row)
    return rows


@pytest.mark.parametrize("method", [PoolMethod.MAX, PoolMethod.AVE])
@pytest.mark.parametrize("size", [(8, 8), (7, 9), (12, 11)])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, method, size):
    spec = make_spec("SPP", pyramid_height=3, pool=method)
    x = rng.standard_normal((2, 3, *size))
    y, = make_layer(spec, x.shape)(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), naive(x, 3, method), rtol=1e-12)
    assert top_dims(spec, x.shape) == [(2, 3 * 21)]


def test_one_level_is_a_pooling(make_spec, make_layer, top_dims, rng):
    spec = make_spec("SPP", pyramid_height=1)
    x = rng.standard_normal((2, 3, 4, 5))
    y, = make_layer(spec, x.shape)(torch.from_numpy(x))
    np.testing.assert_array_equal(y.numpy(), x.max((2, 3), keepdims=True))
    assert top_dims(spec, x.shape) == [(2, 3, 1, 1)]


def test_gradient(make_spec, make_layer, gradients_are_right, rng):
    layer = make_layer(make_spec("SPP", pyramid_height=2), (1, 2, 4, 4))
    assert gradients_are_right(layer, rng.standard_normal((1, 2, 4, 4)))


def test_refusals(make_spec, top_dims):
    with pytest.raises(FieldError, match=r"^pyramid_height must be from 1 to 10, not 0$"):
        SPPParameters(pyramid_height=0)
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("SPP", pyramid_height=2), (1, 3, 1, 8))
    assert str(caught.value) == ("layer 'x': bottom 'b0' must be large enough for level 1 of the pyramid, 2x2 places, "
                                 "not 1x3x1x8")
