from __future__ import annotations

import math

import numpy as np
import pytest

from cortado.errors import WeightsError
from cortado.net.weights import match_weights, seeded_weights

CONV = 'name: "conv" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 4 kernel_size: 3 }'
RELU = 'name: "relu" type: "ReLU" bottom: "a" top: "a"'
IP = ('name: "ip" type: "InnerProduct" bottom: "a" top: "c" inner_product_param { num_output: 10 bias_term: false }')


@pytest.fixture
def net(network):
    return network(CONV, RELU, IP)


@pytest.fixture
def good(rng):
    """Weights that fit: 4 3x3 kernels over 3 channels and their biases, 10 rows over 4x6x6 values."""
    return {"conv": (rng.standard_normal((4, 3, 3, 3)), rng.standard_normal(4)),
            "ip": (rng.standard_normal((10, 144)),)}


def test_weights_that_fit(net, good):
    matched = match_weights(net, {**good, "relu": ()})
    assert list(matched) == ["conv", "ip"]
    for name, blobs in good.items():
        for found, given in zip(matched[name], blobs, strict=True):
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, given.astype(np.float32))


def test_shapes_with_four_dimensions(net, good):
    """As files from before 2015 have them: a bias is 1x1x1xK, an inner product 1x1xKxC."""
    old = {"conv": (good["conv"][0], good["conv"][1].reshape(1, 1, 1, 4)),
           "ip": (good["ip"][0].reshape(1, 1, 10, 144),)}
    matched, expected = match_weights(net, old), match_weights(net, good)
    for name in expected:
        for found, wanted in zip(matched[name], expected[name], strict=True):
            np.testing.assert_array_equal(found, wanted)


def zeros(*dims):
    return np.zeros(dims, np.float32)


@pytest.mark.parametrize(("change", "message"), [
    ({"conv": None}, "layer 'conv': expected 2 blobs (4x3x3x3, 4), found no blobs"),
    ({"conv": (zeros(4, 3, 3, 3),)}, "layer 'conv': expected 2 blobs (4x3x3x3, 4), found 1 blob (4x3x3x3)"),
    ({"ip": (zeros(10, 144), zeros(10))}, "layer 'ip': expected 1 blob (10x144), found 2 blobs (10x144, 10)"),
    ({"conv": (zeros(4, 3, 5, 5), zeros(4))}, "layer 'conv': blob 0 must have shape 4x3x3x3, not 4x3x5x5"),
    ({"conv": (zeros(4, 3, 3, 3), zeros(1, 4))}, "layer 'conv': blob 1 must have shape 4, not 1x4"),
    ({"ip": (zeros(144, 10),)}, "layer 'ip': blob 0 must have shape 10x144, not 144x10"),
    ({"ip": (np.full((10, 144), np.nan, np.float32),)},
     "layer 'ip': blob 0 must have finite values, it has 1440 that are infinite or no numbers"),
    ({"fc9": (zeros(2, 3), zeros(2))},
     "layer 'fc9': the weights have 2 blobs (2x3, 2), network 'n' has no such layer"),
    ({"relu": (zeros(4),)},
     "layer 'relu': the weights have 1 blob (4), network 'n' has no trained blobs in this layer"),
])
def test_weights_that_do_not_fit(net, good, change, message):
    weights = {name: blobs for name, blobs in {**good, **change}.items() if blobs is not None}
    with pytest.raises(WeightsError) as caught:
        match_weights(net, weights)
    assert str(caught.value) == message


def test_extra_layers_may_be_dropped(net, good):
    assert list(match_weights(net, {**good, "aux": (zeros(3),)}, drop_extra_layers=True)) == ["conv", "ip"]


def test_seeded_weights_have_the_shapes_and_spread_of_he(network):
    big = CONV.replace("num_output: 4 kernel_size: 3", "num_output: 999 kernel_size: 5")
    weight, bias = seeded_weights(network(big), 3)["conv"]
    assert (weight.shape, weight.dtype, bias.tolist()) == ((999, 3, 5, 5), np.float32, [0] * 999)
    # 74,925 draws: the deviation is known to about 0.3 percent.
    assert weight.std() == pytest.approx(math.sqrt(2 / 75), rel=0.02)
    assert weight.mean() == pytest.approx(0, abs=0.005)


def test_seeded_weights_depend_on_the_name_and_the_seed_alone(network, net):
    weights, alone = seeded_weights(net, 3), seeded_weights(network(CONV), 3)
    np.testing.assert_array_equal(weights["conv"][0], alone["conv"][0])
    renamed = seeded_weights(network(CONV.replace('"conv"', '"other"')), 3)
    assert not np.array_equal(renamed["other"][0], alone["conv"][0])
    assert not np.array_equal(seeded_weights(network(CONV), 4)["conv"][0], alone["conv"][0])
