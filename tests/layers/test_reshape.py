from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.reshape import NewShape, Reshape, ReshapeParameters


@pytest.mark.parametrize(("dim", "fields", "bottom", "top"), [
    # The examples in the comments of caffe.proto, message ReshapeParameter, and more.
    ((2, 2, 4), {}, (2, 8), (2, 2, 4)),
    ((0, 2, 4), {}, (2, 8), (2, 2, 4)),
    ((0, 2, -1), {}, (2, 8), (2, 2, 4)),
    ((0, -1, 4), {}, (2, 8), (2, 2, 4)),
    ((2, 4), {"axis": 1}, (2, 8), (2, 2, 4)),
    ((2, 4), {"axis": -1, "num_axes": 0}, (1, 8), None),
    ((-1,), {"axis": 1, "num_axes": 2}, (3, 2, 4, 5), (3, 8, 5)),
    ((1,), {"axis": 0, "num_axes": 0}, (2, 3, 8), (1, 2, 3, 8)),
    ((1,), {"axis": -1, "num_axes": 0}, (2, 3, 8), (2, 3, 8, 1)),
    ((1,), {"axis": 1, "num_axes": 0}, (2, 3, 8), (2, 1, 3, 8)),
    ((0, 0, -1), {}, (2, 3, 4, 5), (2, 3, 20)),
    ((), {"axis": 1, "num_axes": 1}, (2, 1, 3), (2, 3)),
    ((), {}, (1, 1), ()),
])
def test_table(make_spec, make_layer, top_dims, rng, dim, fields, bottom, top):
    spec = make_spec("Reshape", shape=NewShape(dim=dim), **fields)
    if top is None:
        with pytest.raises(LayerError) as caught:
            top_dims(spec, bottom)
        assert str(caught.value) == "layer 'x': the new shape 1x8x2x4 must have the 8 values of bottom 'b0', not 64"
        return
    x = rng.standard_normal(bottom)
    y, = make_layer(spec, bottom)(torch.from_numpy(x))
    assert tuple(y.shape) == top
    assert y.flatten().tolist() == [x[index] for index in np.ndindex(x.shape)]
    assert top_dims(spec, bottom) == [top]


def test_another_batch(make_spec, make_layer):
    layer = make_layer(make_spec("Reshape", shape=NewShape(dim=(0, -1))), (1, 2, 3))
    assert layer(torch.zeros(5, 2, 3))[0].shape == (5, 6)


def test_gradient(make_spec, make_layer, gradients_are_right, rng):
    layer = make_layer(make_spec("Reshape", shape=NewShape(dim=(3, -1))), (2, 3, 2))
    assert gradients_are_right(layer, rng.standard_normal((2, 3, 2)))


def test_keeps_the_scale(make_spec):
    assert Reshape.keeps_scale(make_spec("Reshape"))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: NewShape(dim=(2, -2)), "dim must be at least 1, 0 to copy or -1 to infer, not -2"),
    (lambda: NewShape(dim=(-1, 2, -1)), "dim must have at most one -1, not 2"),
    (lambda: ReshapeParameters(num_axes=-2), "num_axes must be at least 0, or -1 for all, not -2"),
])
def test_bad_fields(make, message):
    with pytest.raises(FieldError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(("dim", "fields", "message"), [
    ((6,), {"axis": 3}, "axis must be from -3 to 2 for a bottom of 2 dimensions, not 3"),
    ((6,), {"axis": 1, "num_axes": 2}, "axis 1 and num_axes 2 must be within the 2 dimensions of bottom 'b0'"),
    ((1, 6, 0), {}, "dim 2 of the shape must not be 0: bottom 'b0' has no axis 2 to copy"),
    ((4, -1), {}, "the 6 values of bottom 'b0' must be a multiple of the 4 that the other dimensions take"),
    ((5,), {}, "the new shape 5 must have the 6 values of bottom 'b0', not 5"),
    ((), {}, "the new shape scalar must have the 6 values of bottom 'b0', not 1"),
])
def test_bad_bottoms(make_spec, top_dims, dim, fields, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Reshape", shape=NewShape(dim=dim), **fields), (2, 3))
    assert str(caught.value) == f"layer 'x': {message}"
