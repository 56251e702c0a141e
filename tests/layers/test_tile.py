from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.tile import TileParameters


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, axis):
    spec = make_spec("Tile", axis=axis, tiles=3)
    x = rng.standard_normal((2, 3, 4))
    y, = make_layer(spec, (2, 3, 4))(torch.from_numpy(x))
    expected = np.zeros([size * (3 if place == axis % 3 else 1) for place, size in enumerate(x.shape)])
    for index in np.ndindex(expected.shape):
        expected[index] = x[tuple(i % size for i, size in zip(index, x.shape, strict=True))]
    np.testing.assert_array_equal(y.numpy(), expected)
    assert top_dims(spec, (2, 3, 4)) == [expected.shape]


def test_gradient(make_spec, make_layer, gradients_are_right, rng):
    assert gradients_are_right(make_layer(make_spec("Tile", tiles=2), (2, 3)), rng.standard_normal((2, 3)))


def test_refusals(make_spec, top_dims):
    with pytest.raises(FieldError, match=r"^tiles must be at least 1, not 0$"):
        TileParameters(tiles=0)
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Tile", axis=2, tiles=2), (2, 3))
    assert str(caught.value) == "layer 'x': axis must be from -2 to 1 for a bottom of 2 dimensions, not 2"
