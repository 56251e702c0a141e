from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import FieldError
from cortado.frontends.prototxt import parse_prototxt
from cortado.layers.batch_norm import BatchNormParameters
from cortado.net.net import Net


def naive_batch_norm(x, mean, variance, eps):
    """(N, C, ...) with the statistics of each channel."""
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        y[index] = (x[index] - mean[index[1]]) / math.sqrt(variance[index[1]] + eps)
    return y


def naive_statistics(x):
    """Mean and (biased) variance of each channel, value by value."""
    means, variances = [], []
    for channel in range(x.shape[1]):
        values = [x[index] for index in np.ndindex(x.shape) if index[1] == channel]
        means.append(sum(values) / len(values))
        variances.append(sum((value - means[-1]) ** 2 for value in values) / len(values))
    return np.array(means), np.array(variances)


@pytest.mark.parametrize("dims", [(2, 3, 4, 5), (4, 3)])
@pytest.mark.parametrize("factor", [1.0, 0.25, 999.98])
def test_stored_statistics(make_spec, make_layer, fill, top_dims, rng, dims, factor):
    spec = make_spec("BatchNorm", eps=1e-3)
    x, mean, variance = rng.standard_normal(dims), rng.standard_normal(3), rng.uniform(0.1, 2, 3)
    layer = make_layer(spec, dims)
    fill(layer, mean * factor, variance * factor, [factor])
    y, = layer.eval()(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), naive_batch_norm(x, mean, variance, 1e-3), rtol=1e-12, atol=1e-13)
    assert top_dims(spec, dims) == [dims]
    assert [blob.shape for blob in layer.blobs] == [(3,), (3,), (1,)]


def test_a_factor_of_zero_is_no_statistics(make_spec, make_layer, fill):
    """As in a network that has never been trained."""
    layer = make_layer(make_spec("BatchNorm", eps=0.25), (1, 1, 1, 2))
    fill(layer, [5.0], [7.0], [0.0])
    y, = layer.eval()(torch.tensor([[[[1.0, -2.0]]]], dtype=torch.float64))
    assert y.tolist() == [[[[2.0, -4.0]]]]


def test_statistics_of_the_batch(make_spec, make_layer, fill, rng):
    """The stored ones follow: a share of the old, and the new with the variance of a sample."""
    x = rng.standard_normal((2, 3, 2, 2))
    mean, variance = naive_statistics(x)
    layer = make_layer(make_spec("BatchNorm", moving_average_fraction=0.5), x.shape)
    fill(layer, [1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0])
    y, = layer.train()(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), naive_batch_norm(x, mean, variance, 1e-5), rtol=1e-9)
    np.testing.assert_allclose(layer.blobs[0].numpy(), np.array([0.5, 1.0, 1.5]) + mean, rtol=1e-12)
    np.testing.assert_allclose(layer.blobs[1].numpy(), np.array([2.0, 2.5, 3.0]) + variance * 8 / 7, rtol=1e-12)
    assert layer.blobs[2].tolist() == [4.5]


@pytest.mark.parametrize(("training", "given", "stored"), [
    (True, None, False), (False, None, True), (True, True, True), (False, False, False)])
def test_which_statistics(make_spec, make_layer, fill, training, given, stored):
    layer = make_layer(make_spec("BatchNorm", use_global_stats=given), (2, 1))
    fill(layer, [10.0], [1.0], [1.0])
    y, = layer.train(training)(torch.tensor([[10.0], [12.0]], dtype=torch.float64))
    assert y[0, 0].item() == pytest.approx(0.0 if stored else -1.0, abs=1e-4)


def test_gradient_through_the_statistics(make_spec, make_layer, fill, gradients_are_right, rng):
    layer = make_layer(make_spec("BatchNorm"), (3, 2, 2))
    fill(layer, np.zeros(2), np.zeros(2), [0.0])
    assert gradients_are_right(layer.train(), rng.standard_normal((3, 2, 2)))
    fill(layer, [0.5, 1.0], [1.0, 2.0], [1.0])
    assert gradients_are_right(layer.eval(), rng.standard_normal((3, 2, 2)))


def test_no_blob_is_trained(make_spec, make_layer):
    assert not any(blob.requires_grad for blob in make_layer(make_spec("BatchNorm"), (1, 4)).blobs)


def test_seeded_it_changes_little(rng):
    net = Net(parse_prototxt("""
        input: "data" input_shape { dim: 2 dim: 3 }
        layer { name: "norm" type: "BatchNorm" bottom: "data" top: "a" }
    """), seed=0)
    x = torch.from_numpy(rng.standard_normal((2, 3)).astype(np.float32))
    np.testing.assert_allclose(net({"data": x})["a"].numpy(), x.numpy() / math.sqrt(1 + 1e-5), rtol=1e-6)


@pytest.mark.parametrize(("fields", "message"), [
    ({"eps": -1.0}, "eps must be at least 0, not -1.0"),
    ({"moving_average_fraction": 1.5}, "moving_average_fraction must be from 0 to 1, not 1.5"),
])
def test_bad_fields(fields, message):
    with pytest.raises(FieldError) as caught:
        BatchNormParameters(**fields)
    assert str(caught.value) == message
