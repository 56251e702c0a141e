from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.layers.flatten import Flatten


@pytest.mark.parametrize(("fields", "dims"), [
    ({}, (2, 60)), ({"axis": 0}, (120,)), ({"axis": 1, "end_axis": 2}, (2, 12, 5)), ({"axis": -2}, (2, 3, 20)),
    ({"axis": 2, "end_axis": 2}, (2, 3, 4, 5)),
])
def test_values_keep_their_order(make_spec, make_layer, top_dims, gradients_are_right, rng, fields, dims):
    spec = make_spec("Flatten", **fields)
    x = rng.standard_normal((2, 3, 4, 5))
    layer = make_layer(spec, x.shape)
    y, = layer(torch.from_numpy(x))
    assert tuple(y.shape) == dims
    # Row-major order is what ndindex counts in.
    assert y.flatten().tolist() == [x[index] for index in np.ndindex(x.shape)]
    assert top_dims(spec, x.shape) == [dims]
    assert gradients_are_right(layer, x)


def test_keeps_the_scale(make_spec):
    assert Flatten.keeps_scale(make_spec("Flatten"))


def test_axes_in_the_wrong_order(make_spec, top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Flatten", axis=2, end_axis=1), (2, 3, 4))
    assert str(caught.value) == "layer 'x': end_axis must not be before axis 2, it is 1"
