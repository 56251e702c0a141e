from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError


def test_equals_numpy(make_spec, make_layer, top_dims, gradients_are_right, rng):
    spec, x = make_spec("Permute", order=(0, 2, 3, 1)), rng.standard_normal((2, 3, 4, 5))
    layer = make_layer(spec, x.shape)
    np.testing.assert_array_equal(layer(torch.from_numpy(x))[0].numpy(), x.transpose(0, 2, 3, 1))
    assert top_dims(spec, x.shape) == [(2, 4, 5, 3)]
    assert gradients_are_right(layer, x)


def test_bad_orders(make_spec, top_dims):
    with pytest.raises(FieldError, match=r"^order must name each axis from 0 on once, not be \[0, 2\]$"):
        make_spec("Permute", order=(0, 2))
    with pytest.raises(LayerError, match=r"^layer 'x': order must name each of the 3 axes of bottom 'b0', not 2$"):
        top_dims(make_spec("Permute", order=(1, 0)), (2, 3, 4))
