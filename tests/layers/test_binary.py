from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.layers.binary import BinaryOperation

NUMPY = {
    BinaryOperation.ADD: np.add, BinaryOperation.SUB: np.subtract, BinaryOperation.MUL: np.multiply,
    BinaryOperation.DIV: np.divide, BinaryOperation.MIN: np.minimum, BinaryOperation.MAX: np.maximum,
    BinaryOperation.MOD: np.mod, BinaryOperation.FMOD: np.fmod, BinaryOperation.EQUAL: np.equal,
    BinaryOperation.LESS: np.less, BinaryOperation.LESS_OR_EQUAL: np.less_equal, BinaryOperation.GREATER: np.greater,
    BinaryOperation.GREATER_OR_EQUAL: np.greater_equal,
    BinaryOperation.PRELU: lambda one, other: np.where(one >= 0, one, one * other),
}


@pytest.mark.parametrize("operation", NUMPY)
def test_equals_numpy(make_spec, make_layer, top_dims, rng, operation):
    spec = make_spec("Binary", bottoms=2, operation=operation)
    one, other = rng.standard_normal((2, 3, 4)), rng.standard_normal((3, 1))
    found = make_layer(spec, one.shape, other.shape)(torch.from_numpy(one), torch.from_numpy(other))[0].numpy()
    np.testing.assert_allclose(found, NUMPY[operation](one, other), rtol=1e-15)
    assert top_dims(spec, one.shape, other.shape) == [(2, 3, 4)]


@pytest.mark.parametrize("operation", [BinaryOperation.ADD, BinaryOperation.SUB, BinaryOperation.MUL,
                                       BinaryOperation.MIN, BinaryOperation.MAX, BinaryOperation.LESS,
                                       BinaryOperation.GREATER_OR_EQUAL])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64, np.int8, np.int64])
def test_whole_numbers_wrap_and_compare_as_numpy_has_them(make_spec, make_layer, rng, operation, dtype):
    limits = np.iinfo(dtype)
    one, other = (rng.integers(limits.min, limits.max, 50, dtype, endpoint=True) for _ in range(2))
    layer = make_layer(make_spec("Binary", bottoms=2, operation=operation), one.shape, other.shape)
    found = layer(torch.from_numpy(one), torch.from_numpy(other))[0].numpy()
    expected = NUMPY[operation](one, other)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_whole_numbers_divide_towards_zero(make_spec, make_layer, dtype):
    layer = make_layer(make_spec("Binary", bottoms=2, operation=BinaryOperation.DIV), (4,), (4,))
    found = layer(torch.from_numpy(np.array([7, -7, 7, -7], dtype)), torch.from_numpy(np.array([2, 2, -2, -2], dtype)))
    assert found[0].tolist() == [3, -3, -3, 3]


def test_powers_have_the_type_of_the_first(make_spec, make_layer):
    layer = make_layer(make_spec("Binary", bottoms=2, operation=BinaryOperation.POW), (3,), (3,))
    found = layer(torch.tensor([2, 3, 4]), torch.tensor([0.5, 2.0, 1.5]))[0]
    assert found.dtype is torch.int64
    assert found.tolist() == [1, 9, 8]


@pytest.mark.parametrize(("operation", "expected"), [
    (BinaryOperation.AND, [False, False, False, True]), (BinaryOperation.OR, [False, True, True, True]),
    (BinaryOperation.XOR, [False, True, True, False])])
def test_truth_values(make_spec, make_layer, operation, expected):
    layer = make_layer(make_spec("Binary", bottoms=2, operation=operation), (4,), (4,))
    found = layer(torch.tensor([False, False, True, True]), torch.tensor([False, True, False, True]))[0]
    assert found.tolist() == expected


@pytest.mark.parametrize("operation", [BinaryOperation.ADD, BinaryOperation.SUB, BinaryOperation.MUL,
                                       BinaryOperation.DIV])
def test_gradients(make_spec, make_layer, gradients_are_right, rng, operation):
    layer = make_layer(make_spec("Binary", bottoms=2, operation=operation), (2, 3), (3,))
    assert gradients_are_right(layer, rng.standard_normal((2, 3)), rng.uniform(1, 2, 3))


def test_shapes_that_do_not_fit(make_spec, make_layer, top_dims):
    spec = make_spec("Binary", bottoms=2, operation=BinaryOperation.ADD)
    words = r"^layer 'x': bottoms must be of one size, or 1, along axis 1, not 2x3, 2$"
    with pytest.raises(LayerError, match=words):
        top_dims(spec, (2, 3), (2,))
    with pytest.raises(LayerError, match=words):
        make_layer(spec, (2, 3), (3,))(torch.zeros(2, 3), torch.zeros(2))


def test_large_numbers_without_a_sign_are_not_divided(make_spec, make_layer):
    layer = make_layer(make_spec("Binary", bottoms=2, operation=BinaryOperation.DIV), (1,), (1,))
    large, two = (torch.from_numpy(np.array([value], np.uint64)) for value in (2**63, 2))
    with pytest.raises(LayerError, match=r"^layer 'x': UINT64 must be below 2\*\*63 to be divided or raised"):
        layer(large, two)
