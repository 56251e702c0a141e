from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.layers.element_type import ElementType
from cortado.layers.parameter import ParameterShape


def filled(layer, *values):
    with torch.no_grad():
        for blob, value in zip(layer.blobs, values, strict=True):
            blob.copy_(torch.from_numpy(np.array(value, np.float32)))
    return layer


@pytest.mark.parametrize(("element", "expected"), [
    (ElementType.UINT8, [3, 3, 5, 5, 0, 255]), (ElementType.INT8, [3, 3, 5, 5, -128, 127]),
    (ElementType.INT16, [3, 3, 5, 5, -1997, 2003])])
def test_halves_go_to_even_and_large_ones_to_the_limit(make_spec, make_layer, element, expected):
    layer = filled(make_layer(make_spec("QuantizeLinear", element=element), (6,)), 0.5, 3)
    found = layer(torch.tensor([0.0, 0.25, 0.75, 1.25, -1000.0, 1000.0]))[0].numpy()
    assert found.dtype == element.numpy
    np.testing.assert_array_equal(found, expected)


def test_a_scale_for_each_channel_and_each_block(make_spec, make_layer, rng):
    x = rng.standard_normal((2, 4, 3)).astype(np.float32) * 20
    scale, zero = rng.uniform(0.1, 1, 4).astype(np.float32), rng.integers(-9, 9, 4)
    spec = make_spec("QuantizeLinear", element=ElementType.INT8, axis=1, shape=ParameterShape(dim=(4,)))
    found = filled(make_layer(spec, x.shape), scale, zero)(torch.from_numpy(x))[0].numpy()
    expected = np.clip(np.rint(x / scale[:, None]) + zero[:, None], -128, 127)
    np.testing.assert_array_equal(found, expected)
    blocks = np.stack([scale[:2], scale[2:]])[:, :, None] * np.ones(3, np.float32)
    spec = make_spec("QuantizeLinear", element=ElementType.INT8, axis=1, block_size=2,
                     shape=ParameterShape(dim=(2, 2, 3)))
    found = filled(make_layer(spec, x.shape), blocks, np.zeros((2, 2, 3)))(torch.from_numpy(x))[0].numpy()
    np.testing.assert_array_equal(found, np.clip(np.rint(x / np.repeat(blocks, 2, axis=1)), -128, 127))


def test_back_again(make_spec, make_layer):
    spec = make_spec("DequantizeLinear", element=ElementType.FLOAT)
    layer = filled(make_layer(spec, (3,)), 0.5, 128)
    assert layer(torch.tensor([0, 128, 255], dtype=torch.uint8))[0].tolist() == [-64.0, 0.0, 63.5]


@pytest.mark.parametrize("element", [ElementType.FLOAT, ElementType.DOUBLE, ElementType.FLOAT16])
def test_the_type_of_what_comes_back(make_spec, make_layer, element):
    layer = filled(make_layer(make_spec("DequantizeLinear", element=element), (1,)), 0.25, 0)
    found = layer(torch.tensor([3], dtype=torch.int8))[0]
    assert found.dtype is element.torch
    assert found.tolist() == [0.75]


def test_scales_that_do_not_fit(make_spec, top_dims):
    with pytest.raises(LayerError, match=r"^layer 'x': scale and zero point must be single numbers or of shape 4, not "
                                         r"3$"):
        top_dims(make_spec("QuantizeLinear", element=ElementType.INT8, shape=ParameterShape(dim=(3,))), (2, 4))
