from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.slice import Slice, SliceParameters


@pytest.mark.parametrize(("fields", "tops", "axis", "cuts"), [
    ({}, 3, 1, [0, 2, 4, 6]),
    ({"slice_point": (1, 5)}, 3, 1, [0, 1, 5, 6]),
    ({"axis": -1, "slice_point": (3,)}, 2, 2, [0, 3, 4]),
    ({"slice_dim": 0}, 2, 0, [0, 1, 2]),
    ({}, 1, 1, [0, 6]),
])
def test_equals_copies(make_spec, make_layer, top_dims, gradients_are_right, rng, fields, tops, axis, cuts):
    spec = make_spec("Slice", tops=tops, **fields)
    x = rng.standard_normal((2, 6, 4))
    layer = make_layer(spec, x.shape)
    found = layer(torch.from_numpy(x))
    expected = [np.take(x, range(begin, end), axis) for begin, end in pairwise(cuts)]
    for y, part in zip(found, expected, strict=True):
        np.testing.assert_array_equal(y.numpy(), part)
    assert top_dims(spec, x.shape) == [part.shape for part in expected]
    assert gradients_are_right(layer, x)


def test_keeps_the_scale(make_spec):
    assert Slice.keeps_scale(make_spec("Slice", tops=2))


@pytest.mark.parametrize(("fields", "message"), [
    ({"axis": 1, "slice_dim": 1}, "slice_dim must not be given beside axis"),
    ({"slice_dim": -1}, "slice_dim must be at least 0, not -1"),
    ({"slice_point": (2, 2)}, "slice_point must be greater than 2, not 2"),
    ({"slice_point": (0,)}, "slice_point must be greater than 0, not 0"),
])
def test_bad_fields(fields, message):
    with pytest.raises(FieldError) as caught:
        SliceParameters(**fields)
    assert str(caught.value) == message


@pytest.mark.parametrize(("fields", "tops", "message"), [
    ({}, 4, "axis 1 of bottom 'b0' must be a multiple of its 4 tops, not 6; slice_point cuts unequally"),
    ({"slice_point": (1, 2)}, 2, "slice_point must have one value fewer than the 2 tops, not 2"),
    ({"slice_point": (6,)}, 2, "slice_point must be below the 6 of axis 1 of bottom 'b0', not 6"),
])
def test_bad_bottoms(make_spec, top_dims, fields, tops, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Slice", tops=tops, **fields), (2, 6, 4))
    assert str(caught.value) == f"layer 'x': {message}"
