from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.crop import CropParameters


@pytest.mark.parametrize(("fields", "offsets", "dims"), [
    ({}, (0, 0, 0, 0), (2, 3, 2, 3)),
    ({"offset": (2,)}, (0, 0, 2, 2), (2, 3, 2, 3)),
    ({"axis": 1, "offset": (1, 0, 3)}, (0, 1, 0, 3), (2, 2, 2, 3)),
    ({"axis": -1, "offset": (1,)}, (0, 0, 0, 1), (2, 3, 5, 3)),
])
def test_equals_copies(make_spec, make_layer, top_dims, gradients_are_right, rng, fields, offsets, dims):
    spec = make_spec("Crop", bottoms=2, **fields)
    x, like = rng.standard_normal((2, 3, 5, 6)), np.zeros((2, 2, 2, 3))
    expected = np.zeros(dims)
    for index in np.ndindex(dims):
        expected[index] = x[tuple(place + offset for place, offset in zip(index, offsets, strict=True))]
    layer = make_layer(spec, x.shape, like.shape)
    y, = layer(torch.from_numpy(x), torch.from_numpy(like))
    np.testing.assert_array_equal(y.numpy(), expected)
    assert top_dims(spec, x.shape, like.shape) == [dims]
    assert gradients_are_right(layer, x, like)


def test_bad_field():
    with pytest.raises(FieldError) as caught:
        CropParameters(offset=(1, -1))
    assert str(caught.value) == "offset must be at least 0, not -1"


@pytest.mark.parametrize(("fields", "second", "message"), [
    ({}, (1, 1, 2), "bottom 'b1' must have the 4 dimensions of bottom 'b0', not 3"),
    ({"offset": (1, 1, 1)}, (1, 1, 2, 2), "offset must have one value, or one for each of 2 axes from 2 on, not 3"),
    ({"offset": (2,)}, (1, 1, 2, 2), "axis 2 of bottom 'b0' must have the 2 of bottom 'b1' from 2 on, it is 3"),
])
def test_bad_bottoms(make_spec, top_dims, fields, second, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Crop", bottoms=2, **fields), (1, 1, 3, 3), second)
    assert str(caught.value) == f"layer 'x': {message}"
