from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.concat import Concat, ConcatParameters


@pytest.mark.parametrize(("fields", "axis"), [({}, 1), ({"axis": 0}, 0), ({"axis": -1}, 2), ({"concat_dim": 2}, 2)])
def test_equals_copies(make_spec, make_layer, top_dims, gradients_are_right, rng, fields, axis):
    spec = make_spec("Concat", bottoms=3, **fields)
    bottoms = []
    for size in (2, 1, 3):
        dims = [2, 3, 4]
        dims[axis] = size
        bottoms.append(rng.standard_normal(dims))
    shape = [2, 3, 4]
    shape[axis] = 6
    expected = np.zeros(shape)
    place = 0
    for bottom in bottoms:
        for index in np.ndindex(bottom.shape):
            target = list(index)
            target[axis] += place
            expected[tuple(target)] = bottom[index]
        place += bottom.shape[axis]
    layer = make_layer(spec, *(bottom.shape for bottom in bottoms))
    y, = layer(*map(torch.from_numpy, bottoms))
    np.testing.assert_array_equal(y.numpy(), expected)
    assert top_dims(spec, *(bottom.shape for bottom in bottoms)) == [expected.shape]
    assert gradients_are_right(layer, *bottoms)


def test_one_bottom(make_spec, top_dims):
    assert top_dims(make_spec("Concat"), (1, 2, 3)) == [(1, 2, 3)]


def test_keeps_the_scale(make_spec):
    assert Concat.keeps_scale(make_spec("Concat", bottoms=2))


@pytest.mark.parametrize(("fields", "message"), [
    ({"axis": 1, "concat_dim": 1}, "concat_dim must not be given beside axis"),
    ({"concat_dim": -1}, "concat_dim must be at least 0, not -1"),
])
def test_bad_fields(fields, message):
    with pytest.raises(FieldError) as caught:
        ConcatParameters(**fields)
    assert str(caught.value) == message


@pytest.mark.parametrize("second", [(1, 5, 4), (2, 1, 3, 1)])
def test_bottoms_that_do_not_agree(make_spec, top_dims, second):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Concat", bottoms=2), (1, 2, 3), second)
    assert str(caught.value) == ("layer 'x': bottom 1 'b1' must agree with bottom 'b0' (1x2x3) except on axis 1, not "
                                 + "x".join(map(str, second)))
