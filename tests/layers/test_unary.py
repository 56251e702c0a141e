from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.layers.unary import UnaryOperation

# Of each value by itself, in Python's own words.
FUNCTIONS = {
    UnaryOperation.ACOS: math.acos, UnaryOperation.ASIN: math.asin, UnaryOperation.ASINH: math.asinh,
    UnaryOperation.ATAN: math.atan, UnaryOperation.ATANH: math.atanh, UnaryOperation.CEIL: math.ceil,
    UnaryOperation.COS: math.cos, UnaryOperation.COSH: math.cosh, UnaryOperation.ERF: math.erf,
    UnaryOperation.FLOOR: math.floor, UnaryOperation.MISH: lambda x: x * math.tanh(math.log1p(math.exp(x))),
    UnaryOperation.NEGATE: lambda x: -x, UnaryOperation.RECIPROCAL: lambda x: 1 / x, UnaryOperation.ROUND: round,
    UnaryOperation.SIGN: lambda x: math.copysign(1, x), UnaryOperation.SIN: math.sin, UnaryOperation.SINH: math.sinh,
    UnaryOperation.SOFTPLUS: lambda x: math.log1p(math.exp(x)),
    UnaryOperation.SOFTSIGN: lambda x: x / (1 + abs(x)), UnaryOperation.TAN: math.tan,
}


@pytest.mark.parametrize("operation", FUNCTIONS)
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, operation):
    x = rng.uniform(-0.99, 0.99, (3, 5))
    spec = make_spec("Unary", operation=operation)
    expected = [[FUNCTIONS[operation](value) for value in row] for row in x]
    np.testing.assert_allclose(make_layer(spec, x.shape)(torch.from_numpy(x))[0].numpy(), expected, rtol=1e-12)
    assert top_dims(spec, x.shape) == [(3, 5)]


def test_beyond_one(make_spec, make_layer):
    layer = make_layer(make_spec("Unary", operation=UnaryOperation.ACOSH), (2,))
    np.testing.assert_allclose(layer(torch.tensor([1.5, 3.0]))[0], [math.acosh(1.5), math.acosh(3)], rtol=1e-6)


def test_halves_are_rounded_to_even(make_spec, make_layer):
    layer = make_layer(make_spec("Unary", operation=UnaryOperation.ROUND), (4,))
    assert layer(torch.tensor([0.5, 1.5, 2.5, -0.5]))[0].tolist() == [0, 2, 2, 0]


def test_truth_values(make_spec, make_layer):
    layer = make_layer(make_spec("Unary", operation=UnaryOperation.IS_NAN), (2,))
    assert layer(torch.tensor([1.0, math.nan]))[0].tolist() == [False, True]
    layer = make_layer(make_spec("Unary", operation=UnaryOperation.NOT), (2,))
    assert layer(torch.tensor([True, False]))[0].tolist() == [False, True]
