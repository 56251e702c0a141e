from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.lrn import LRNParameters, NormRegion


def naive_lrn(x, *, size, alpha, beta, k, within):
    """(N, C, H, W) -> (N, C, H, W), the neighbours of each value one by one."""
    reach = size // 2
    y = np.zeros(x.shape)
    for n, c, h, w in np.ndindex(x.shape):
        total = 0.0
        if within:
            for dy in range(max(h - reach, 0), min(h + reach + 1, x.shape[2])):
                for dx in range(max(w - reach, 0), min(w + reach + 1, x.shape[3])):
                    total += x[n, c, dy, dx] ** 2
            total *= alpha / size**2
        else:
            for channel in range(max(c - reach, 0), min(c + reach + 1, x.shape[1])):
                total += x[n, channel, h, w] ** 2
            total *= alpha / size
        y[n, c, h, w] = x[n, c, h, w] / (k + total) ** beta
    return y


@pytest.mark.parametrize(("size", "alpha", "beta", "k", "within"), [
    (5, 1e-4, 0.75, 1.0, False),  # AlexNet, GoogLeNet
    (3, 5e-5, 0.75, 1.0, True),  # cifar10_full
    (5, 2.0, 0.5, 2.0, False),
    (7, 3.0, 0.75, 1.0, False),  # beyond all channels on one side
    (15, 3.0, 0.75, 1.0, False),  # on both
    (5, 1.5, 1.25, 1.0, True),
    (1, 1.0, 0.75, 1.0, False),
])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, size, alpha, beta, k, within):
    region = NormRegion.WITHIN_CHANNEL if within else NormRegion.ACROSS_CHANNELS
    spec = make_spec("LRN", local_size=size, alpha=alpha, beta=beta, k=k, norm_region=region)
    x = 3 * rng.standard_normal((2, 6, 5, 4))
    y, = make_layer(spec, x.shape)(torch.from_numpy(x))
    expected = naive_lrn(x, size=size, alpha=alpha, beta=beta, k=k, within=within)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)
    assert top_dims(spec, x.shape) == [x.shape]


@pytest.mark.parametrize("region", NormRegion)
def test_gradient(make_spec, make_layer, gradients_are_right, rng, region):
    spec = make_spec("LRN", local_size=3, alpha=0.5, norm_region=region)
    assert gradients_are_right(make_layer(spec, (1, 4, 3, 3)), rng.standard_normal((1, 4, 3, 3)))


@pytest.mark.parametrize(("fields", "message"), [
    ({"local_size": 4}, "local_size must be odd and at least 1, not 4"),
    ({"local_size": -1}, "local_size must be odd and at least 1, not -1"),
    ({"local_size": 2**14 + 1}, "local_size must be at most 16384, not 16385"),
    ({"k": 2.0, "norm_region": NormRegion.WITHIN_CHANNEL},
     "k must be 1 with norm_region: WITHIN_CHANNEL, where Caffe does not use it, not 2.0"),
])
def test_bad_fields(fields, message):
    with pytest.raises(FieldError) as caught:
        LRNParameters(**fields)
    assert str(caught.value) == message


def test_bad_bottom(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("LRN"), (1, 4))
    assert str(caught.value) == "layer 'x': bottom 'b0' must have four dimensions (N, C, H, W), not 1x4"
