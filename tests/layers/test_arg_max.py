from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.arg_max import ArgMaxParameters


def naive_best(values, top_k):
    """(value, place) of the best, compared as pairs."""
    return sorted(((value, place) for place, value in enumerate(values)), reverse=True)[:top_k]


@pytest.mark.parametrize("top_k", [1, 3])
@pytest.mark.parametrize("with_values", [False, True])
@pytest.mark.parametrize("dims", [(2, 3, 4), (2, 5), (2, 3, 2, 2)])
def test_over_everything_but_the_batch(make_spec, make_layer, top_dims, rng, dims, with_values, top_k):
    spec = make_spec("ArgMax", top_k=top_k, out_max_val=with_values)
    # Whole numbers, so that some are equal.
    x = rng.integers(-2, 3, dims).astype(np.float64)
    expected = np.zeros((2, 2 if with_values else 1, top_k, *(1,) * (len(dims) - 3)))
    for n in range(2):
        for rank, (value, place) in enumerate(naive_best(x[n].reshape(-1), top_k)):
            expected[n, 0, rank] = place
            if with_values:
                expected[n, 1, rank] = value
    y, = make_layer(spec, dims)(torch.from_numpy(x))
    np.testing.assert_array_equal(y.numpy(), expected)
    assert top_dims(spec, dims) == [expected.shape]


@pytest.mark.parametrize("with_values", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_along_an_axis(make_spec, make_layer, top_dims, rng, axis, with_values):
    spec = make_spec("ArgMax", top_k=2, axis=axis, out_max_val=with_values)
    x = rng.integers(-2, 3, (2, 3, 4)).astype(np.float64)
    dims = [2, 3, 4]
    dims[axis] = 2
    expected = np.zeros(dims)
    for index in np.ndindex(*np.delete(x.shape, axis)):
        place = list(index)
        place.insert(axis % 3, slice(None))
        best = naive_best(x[tuple(place)], 2)
        expected[tuple(place)] = [value if with_values else where for value, where in best]
    y, = make_layer(spec, x.shape)(torch.from_numpy(x))
    np.testing.assert_array_equal(y.numpy(), expected)
    assert top_dims(spec, x.shape) == [expected.shape]


def test_bad_field():
    with pytest.raises(FieldError) as caught:
        ArgMaxParameters(top_k=0)
    assert str(caught.value) == "top_k must be at least 1, not 0"


@pytest.mark.parametrize("fields", [{"top_k": 4, "axis": 1}, {"top_k": 4}])
def test_more_than_there_are(make_spec, top_dims, fields):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("ArgMax", **fields), (2, 3))
    assert str(caught.value) == "layer 'x': top_k must be at most the 3 values to choose from, not 4"
