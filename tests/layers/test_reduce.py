from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.reduce import ReduceOperation

NUMPY = {
    ReduceOperation.SUM: np.sum, ReduceOperation.MEAN: np.mean, ReduceOperation.MAX: np.max,
    ReduceOperation.MIN: np.min, ReduceOperation.PROD: np.prod,
    ReduceOperation.L1: lambda x, **how: np.sum(np.abs(x), **how),
    ReduceOperation.L2: lambda x, **how: np.sqrt(np.sum(x**2, **how)),
    ReduceOperation.LOG_SUM: lambda x, **how: np.log(np.sum(x, **how)),
    ReduceOperation.LOG_SUM_EXP: lambda x, **how: np.log(np.sum(np.exp(x), **how)),
    ReduceOperation.SUM_SQUARE: lambda x, **how: np.sum(x**2, **how),
}


@pytest.mark.parametrize("operation", ReduceOperation)
@pytest.mark.parametrize("axis", [(1,), (0, 2), (0, 1, 2), ()])
@pytest.mark.parametrize("keep_dims", [True, False])
def test_equals_numpy(make_spec, make_layer, top_dims, rng, operation, axis, keep_dims):
    x = rng.uniform(0.5, 2, (2, 3, 4))
    spec = make_spec("Reduce", operation=operation, axis=axis, keep_dims=keep_dims)
    found = make_layer(spec, x.shape)(torch.from_numpy(x))[0].numpy()
    expected = NUMPY[operation](x, axis=axis, keepdims=keep_dims)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert top_dims(spec, x.shape) == [found.shape]


@pytest.mark.parametrize("operation", [ReduceOperation.SUM, ReduceOperation.MEAN, ReduceOperation.L2])
def test_gradients(make_spec, make_layer, gradients_are_right, rng, operation):
    layer = make_layer(make_spec("Reduce", operation=operation, axis=(1,)), (2, 3))
    assert gradients_are_right(layer, rng.uniform(0.5, 2, (2, 3)))


def test_whole_numbers_stay_whole(make_spec, make_layer):
    layer = make_layer(make_spec("Reduce", operation=ReduceOperation.MEAN, axis=(0,), keep_dims=False), (2,))
    assert layer(torch.tensor([-3, -4]))[0].item() == -3


def test_bad_axes(make_spec, top_dims):
    with pytest.raises(FieldError, match=r"^axis must be different axes of at least 0, not 1$"):
        make_spec("Reduce", operation=ReduceOperation.SUM, axis=(1, 1))
    with pytest.raises(LayerError, match=r"^layer 'x': axis must be below the 2 of bottom 'b0', not 2$"):
        top_dims(make_spec("Reduce", operation=ReduceOperation.SUM, axis=(2,)), (2, 3))
