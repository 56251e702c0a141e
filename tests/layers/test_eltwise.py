from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.layers.eltwise import Eltwise, EltwiseOperation, EltwiseParameters


@pytest.mark.parametrize(("operation", "coefficients", "place"), [
    (EltwiseOperation.SUM, (), sum),
    (EltwiseOperation.SUM, (1.0, -0.5, 3.0), lambda values: values[0] - 0.5 * values[1] + 3 * values[2]),
    (EltwiseOperation.PROD, (), math.prod),
    (EltwiseOperation.MAX, (), max),
])
def test_equals_a_loop(make_spec, make_layer, top_dims, gradients_are_right, rng, operation, coefficients, place):
    spec = make_spec("Eltwise", bottoms=3, operation=operation, coeff=coefficients)
    bottoms = [rng.standard_normal((2, 3, 4)) for _ in range(3)]
    expected = np.zeros((2, 3, 4))
    for index in np.ndindex(expected.shape):
        expected[index] = place([bottom[index] for bottom in bottoms])
    layer = make_layer(spec, *[(2, 3, 4)] * 3)
    y, = layer(*map(torch.from_numpy, bottoms))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
    assert top_dims(spec, *[(2, 3, 4)] * 3) == [(2, 3, 4)]
    assert gradients_are_right(layer, *bottoms)


def test_a_maximum_keeps_the_scale(make_spec):
    assert Eltwise.keeps_scale(make_spec("Eltwise", bottoms=2, operation=EltwiseOperation.MAX))
    assert not Eltwise.keeps_scale(make_spec("Eltwise", bottoms=2))
    assert not Eltwise.keeps_scale(make_spec("Eltwise", bottoms=2, operation=EltwiseOperation.PROD))


def test_coefficients_of_a_product():
    with pytest.raises(FieldError) as caught:
        EltwiseParameters(operation=EltwiseOperation.PROD, coeff=(1.0, 2.0))
    assert str(caught.value) == "coeff must be given with operation: SUM only, not PROD"


@pytest.mark.parametrize(("coefficients", "second", "message"), [
    ((1.0,), (2, 3), "coeff must have one value for each of 2 bottoms, not 1"),
    ((), (3, 2), "bottom 1 'b1' must have the shape 2x3 of bottom 'b0', not 3x2"),
])
def test_bad_bottoms(make_spec, top_dims, coefficients, second, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Eltwise", bottoms=2, coeff=coefficients), (2, 3), second)
    assert str(caught.value) == f"layer 'x': {message}"
