from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.dummy_data import DummyDataParameters
from cortado.layers.filler import Filler
from cortado.layers.input import BlobShape

SHAPES = (BlobShape(dim=(2, 3)), BlobShape(dim=(4,)))


def test_each_top_by_its_filler(make_spec, make_layer, top_dims):
    spec = make_spec("DummyData", bottoms=0, tops=2, shape=SHAPES,
                     data_filler=(Filler(value=3.0), Filler(type="uniform", min=5, max=6)))
    layer = make_layer(spec)
    first, second = layer(), layer()
    np.testing.assert_array_equal(first[0].numpy(), np.full((2, 3), 3))
    assert (first[1] >= 5).all()
    assert (first[1] <= 6).all()
    assert not torch.equal(first[1], second[1])
    assert top_dims(spec) == [(2, 3), (4,)]


def test_one_shape_and_no_filler_for_all(make_spec, make_layer):
    layer = make_layer(make_spec("DummyData", bottoms=0, tops=2, num=(1,), channels=(2,), height=(3,), width=(4,)))
    for top in layer():
        np.testing.assert_array_equal(top.numpy(), np.zeros((1, 2, 3, 4)))


def test_refusals(make_spec, top_dims):
    with pytest.raises(FieldError, match=r"^num must be given as often as channels, height and width$"):
        DummyDataParameters(num=(1,))
    with pytest.raises(FieldError, match=r"^num and its neighbours must be at least 1, not 0$"):
        DummyDataParameters(num=(0,), channels=(1,), height=(1,), width=(1,))
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("DummyData", bottoms=0, tops=3, shape=SHAPES))
    assert str(caught.value) == ("layer 'x': dummy_data_param must have one shape for all tops or one for each of 3, "
                                 "not 2")
