from __future__ import annotations

import pytest

from cortado.errors import FieldError, LayerError
from cortado.layers.input import BlobShape


def test_one_shape_for_all_tops(make_spec, top_dims):
    spec = make_spec("Input", bottoms=0, tops=2, shape=(BlobShape(dim=(1, 3, 8, 8)),))
    assert top_dims(spec) == [(1, 3, 8, 8), (1, 3, 8, 8)]


def test_a_shape_for_each_top(make_spec, top_dims):
    spec = make_spec("Input", bottoms=0, tops=2, shape=(BlobShape(dim=(1, 3)), BlobShape(dim=(1,))))
    assert top_dims(spec) == [(1, 3), (1,)]


def test_wrong_number_of_shapes(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Input", bottoms=0, tops=3, shape=(BlobShape(dim=(1,)),) * 2))
    assert str(caught.value) == "layer 'x': input_param must have one shape for all tops or one for each of 3, not 2"


def test_bottoms_are_refused(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Input", shape=(BlobShape(dim=(1,)),)), (1,))
    assert str(caught.value) == "layer 'x': Input must have 0 bottoms, not 1"


@pytest.mark.parametrize(("dims", "message", "index"), [
    ((), "dim must have at least one value", None),
    ((1, 0, 8, 8), "dim must be at least 1, not 0", 1),
    ((1, 3, 8, -8), "dim must be at least 1, not -8", 3),
    ((1, 3, 2**20, 2**20),
     "dim must give a legal blob: shape 1x3x1048576x1048576: at most 2147483647 elements, not 3298534883328", None),
])
def test_bad_dimensions(dims, message, index):
    with pytest.raises(FieldError) as caught:
        BlobShape(dim=dims)
    assert str(caught.value) == message
    assert caught.value.index == index
