"""Kernel, marginal likelihood and posterior against scikit-learn's Gaussian process; gradients against differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from cortado.errors import FieldError, LayerError
from cortado.frontends.prototxt import parse_prototxt
from cortado.net.net import Net
from cortado.workloads.gp_epidemics.layers.marginal_likelihood import NoiseParameters
from cortado.workloads.gp_epidemics.layers.squared_exponential import SquaredExponentialParameters
from cortado.workloads.gp_epidemics.positive import positive, trained_of

TEXT = '''
layer { name: "in" type: "Input" top: "t" top: "y" top: "a" input_param {
        shape { dim: 9 } shape { dim: 9 } shape { dim: 4 } } }
layer { name: "kernel" type: "SquaredExponential" bottom: "t" top: "k" param { name: "v" } param { name: "l" }
        squared_exponential_param { variance: 0.7 length: 2.5 } }
layer { name: "likelihood" type: "MarginalLikelihood" bottom: "k" bottom: "y" top: "loss" param { name: "n" }
        noise_param { variance: 0.05 lower_bound: 0.01 } }
layer { name: "cross" type: "SquaredExponential" bottom: "a" bottom: "t" top: "c" param { name: "v" }
        param { name: "l" } }
layer { name: "prior" type: "SquaredExponential" bottom: "a" top: "p" param { name: "v" } param { name: "l" } }
layer { name: "posterior" type: "GaussianPosterior" bottom: "k" bottom: "c" bottom: "p" bottom: "y" top: "mean"
        top: "variance" param { name: "n" } noise_param { variance: 0.05 lower_bound: 0.01 } }
'''


@pytest.fixture
def values(rng):
    t = np.sort(rng.uniform(0, 10, 9))
    return {"t": t, "y": np.sin(t) + 0.1 * rng.standard_normal(9), "a": rng.uniform(-2, 12, 4)}


def net_of(text=TEXT):
    return Net(parse_prototxt(text), seed=0, fillers=True, dtype=torch.float64)


def tensors(values):
    return {name: torch.from_numpy(value) for name, value in values.items()}


def test_equals_scikit_learn(values):
    found = net_of()(tensors(values))
    kernel = ConstantKernel(0.7) * RBF(2.5)
    process = GaussianProcessRegressor(kernel, alpha=0.05, optimizer=None).fit(values["t"][:, None], values["y"])
    mean, deviation = process.predict(values["a"][:, None], return_std=True)
    np.testing.assert_allclose(found["k"].detach(), kernel(values["t"][:, None]), rtol=1e-6)
    np.testing.assert_allclose(-float(found["loss"].detach()), process.log_marginal_likelihood_value_, rtol=1e-6)
    np.testing.assert_allclose(found["mean"].detach(), mean, rtol=1e-5)
    np.testing.assert_allclose(found["variance"].detach(), deviation**2, rtol=1e-5)


def test_gradients_of_the_loss(values):
    net = net_of()
    net(tensors(values))["loss"].backward()
    for blob in net.trained_blobs:
        ends = []
        for step in (1e-6, -1e-6):
            with torch.no_grad():
                blob.value.add_(step)
                ends.append(float(net(tensors(values))["loss"]))
                blob.value.sub_(step)
        assert float(blob.value.grad) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)


def test_hyperparameters_stay_positive():
    trained = torch.tensor([-900.0, -3.0, 0.0, 4.0, 900.0], dtype=torch.float64)
    assert bool((positive(trained) >= 0).all())
    assert bool((positive(trained, bound=0.25) >= 0.25).all())
    for value in (1e-9, 0.3, 1.0, 50.0):
        assert float(positive(torch.tensor(trained_of(value), dtype=torch.float64))) == pytest.approx(value)
    assert float(positive(torch.tensor(trained_of(2.0, bound=0.5), dtype=torch.float64), bound=0.5)) == pytest.approx(2)


def test_a_length_that_vanishes_has_finite_gradients(values):
    net = net_of()
    with torch.no_grad():
        net.stage("kernel").layer.blobs[1].fill_(-2000)
    net(tensors(values))["loss"].backward()
    assert all(bool(torch.isfinite(blob.value.grad).all()) for blob in net.trained_blobs)


def test_a_covariance_without_a_factor(values):
    net = net_of()
    with torch.no_grad():
        net.stage("kernel").layer.blobs[0].fill_(1e20)
    with pytest.raises(LayerError, match=r"layer 'likelihood': the covariance must be positive definite, in its "
                                         r"numbers' precision it is not; raise lower_bound$"):
        net(tensors({**values, "t": np.zeros(9)}))


@pytest.mark.parametrize(("cls", "fields", "words"), [
    (SquaredExponentialParameters, {"variance": 0.0}, "variance must be above 0, not 0.0"),
    (SquaredExponentialParameters, {"length": -1.0}, "length must be above 1e-06, not -1.0"),
    (NoiseParameters, {"lower_bound": 0.0}, "lower_bound must be above 0, not 0.0"),
    (NoiseParameters, {"variance": 0.1, "lower_bound": 0.1}, "variance must be above lower_bound, 0.1, not 0.1"),
])
def test_limits(cls, fields, words):
    with pytest.raises(FieldError) as caught:
        cls(**fields)
    assert str(caught.value) == words


@pytest.mark.parametrize(("change", "message"), [
    (("shape { dim: 9 } shape { dim: 9 }", "shape { dim: 9 } shape { dim: 8 }"),
     "layer 'likelihood': bottoms must be a covariance n x n and n values, not 9x9 and 8"),
    (("shape { dim: 9 } shape { dim: 9 }", "shape { dim: 9 dim: 1 } shape { dim: 9 }"),
     "layer 'kernel': bottom 't' must be times, of one dimension, not 9x1"),
    (('bottom: "c" bottom: "p"', 'bottom: "p" bottom: "c"'),
     ("layer 'posterior': bottoms must be covariances n x n, m x n and m x m and n values, not 9x9, 4x4, 4x9 and 9")),
])
def test_shapes_that_do_not_fit(change, message):
    with pytest.raises(LayerError) as caught:
        net_of(TEXT.replace(*change))
    assert str(caught.value).endswith(message)
