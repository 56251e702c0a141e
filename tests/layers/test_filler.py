from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cortado.errors import FieldError, GraphError
from cortado.layers.filler import Filler, VarianceNorm


def test_an_unknown_type():
    with pytest.raises(FieldError) as caught:
        Filler(type="xaviar")
    assert str(caught.value) == ("type must be one of constant, uniform, gaussian, positive_unitball, xavier, msra, "
                                 "bilinear, not 'xaviar'")


def test_defaults_are_caffes():
    filler = Filler()
    assert (filler.type, filler.value, filler.std, filler.sparse) == ("constant", 0.0, 1.0, -1)


DIMS = (40, 30, 5, 5)  # fan in 750, fan out 1000


def test_constant_and_uniform(rng):
    assert (Filler(value=2.5).fill((3, 4), rng) == 2.5).all()
    values = Filler(type="uniform", min=-1, max=3).fill(DIMS, rng)
    assert values.dtype == np.float32
    assert -1 <= values.min() < -0.99
    assert 2.99 < values.max() <= 3
    np.testing.assert_allclose(values.mean(), 1, atol=0.02)


def test_gaussian(rng):
    values = Filler(type="gaussian", mean=2, std=0.5).fill(DIMS, rng)
    np.testing.assert_allclose([values.mean(), values.std()], [2, 0.5], atol=0.01)


def test_sparse_gaussian_keeps_so_many_values_of_each_input(rng):
    """`filler.hpp`: a value stays with probability sparse over the number of outputs."""
    values = Filler(type="gaussian", sparse=10).fill(DIMS, rng)
    np.testing.assert_allclose(np.count_nonzero(values) / values.size, 10 / 40, atol=0.02)


@pytest.mark.parametrize(("norm", "fan"), [(VarianceNorm.FAN_IN, 750), (VarianceNorm.FAN_OUT, 1000),
                                           (VarianceNorm.AVERAGE, 875)])
def test_xavier_and_msra_have_the_variance_of_their_fan(rng, norm, fan):
    xavier = Filler(type="xavier", variance_norm=norm).fill(DIMS, rng)
    np.testing.assert_allclose(xavier.var(), 1 / fan, rtol=0.03)
    assert np.abs(xavier).max() <= np.sqrt(3 / fan)
    msra = Filler(type="msra", variance_norm=norm).fill(DIMS, rng)
    np.testing.assert_allclose(msra.var(), 2 / fan, rtol=0.03)
    assert np.abs(msra).max() > np.sqrt(6 / fan)


def test_positive_unitball(rng):
    values = Filler(type="positive_unitball").fill(DIMS, rng)
    assert (values >= 0).all()
    np.testing.assert_allclose(values.reshape(40, -1).sum(1), np.ones(40), rtol=1e-5)


@pytest.mark.parametrize("size", [1, 3, 4])
def test_bilinear(rng, size):
    """`filler.hpp`, BilinearFiller, value by value."""
    values = Filler(type="bilinear").fill((2, 1, size, size), rng)
    factor = -(-size // 2)
    centre = (size - 1) / (2.0 * factor)
    for y, x in np.ndindex(size, size):
        expected = (1 - abs(x / factor - centre)) * (1 - abs(y / factor - centre))
        np.testing.assert_allclose(values[:, 0, y, x], [expected] * 2, rtol=1e-6)


def test_bilinear_interpolates(rng):
    """A deconvolution by 2 with kernel 4, stride 2, pad 1 keeps what is constant, away from the edge."""
    kernel = torch.from_numpy(Filler(type="bilinear").fill((1, 1, 4, 4), rng))
    y = functional.conv_transpose2d(torch.ones(1, 1, 6, 6), kernel, stride=2, padding=1)
    np.testing.assert_allclose(y[0, 0, 1:-1, 1:-1].numpy(), np.ones((10, 10)), rtol=1e-6)


def test_refusals(rng):
    with pytest.raises(FieldError, match=r"^sparse must be -1 for none, or at least 0 with type gaussian, not 3$"):
        Filler(type="uniform", sparse=3)
    with pytest.raises(GraphError) as caught:
        Filler(type="bilinear").fill((2, 3, 4, 5), rng)
    assert str(caught.value) == ("the bilinear filler must have a blob of square kernels (N, C, K, K), not 2x3x4x5")
