from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.graph.shape import TensorShape
from cortado.layers.layer import layer_types


@pytest.mark.parametrize(("left", "right"), [((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (1, 3, 4)),
                                             ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((2, 3), (6, 3, 5))])
def test_equals_numpy(make_spec, make_layer, top_dims, gradients_are_right, rng, left, right):
    spec, a, b = make_spec("MatMul", bottoms=2), rng.standard_normal(left), rng.standard_normal(right)
    layer = make_layer(spec, left, right)
    expected = a @ b
    np.testing.assert_allclose(layer(torch.from_numpy(a), torch.from_numpy(b))[0].numpy(), expected, rtol=1e-12)
    assert top_dims(spec, left, right) == [expected.shape]
    assert gradients_are_right(layer, a, b)


def test_products(make_spec):
    shapes = (TensorShape((5, 2, 3)), TensorShape((3, 4)))
    assert layer_types["MatMul"].macs(make_spec("MatMul", bottoms=2), shapes) == 5 * 2 * 3 * 4


def test_what_does_not_fit(make_spec, top_dims):
    with pytest.raises(LayerError, match=r"^layer 'x': the last axis of bottom 'b0' \(2x3\) must be as large as the "
                                         r"last but one of bottom 'b1' \(4x2\)$"):
        top_dims(make_spec("MatMul", bottoms=2), (2, 3), (4, 2))
