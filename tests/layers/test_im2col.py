from __future__ import annotations

import numpy as np
import pytest
import torch


@pytest.mark.parametrize("fields", [
    {"kernel_size": (2,)}, {"kernel_size": (3,), "pad": (1,), "stride": (2,)},
    {"kernel_h": 2, "kernel_w": 3, "pad_h": 0, "pad_w": 1, "dilation": (2, 1)},
])
def test_equals_a_loop(make_spec, make_layer, top_dims, rng, fields):
    spec = make_spec("Im2col", **fields)
    parameters = spec.parameters
    x = rng.standard_normal((2, 3, 5, 6))
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (parameters.kernel, parameters.strides, parameters.pads,
                                              parameters.dilations)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    height = (5 + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    width = (6 + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    expected = np.zeros((2, 3 * kh * kw, height, width))
    for n, c, i, j, row, column in np.ndindex(2, 3, kh, kw, height, width):
        expected[n, (c * kh + i) * kw + j, row, column] = padded[n, c, row * sh + i * dh, column * sw + j * dw]
    y, = make_layer(spec, x.shape)(torch.from_numpy(x))
    np.testing.assert_array_equal(y.numpy(), expected)
    assert top_dims(spec, x.shape) == [expected.shape]


def test_gradient(make_spec, make_layer, gradients_are_right, rng):
    layer = make_layer(make_spec("Im2col", kernel_size=(2,), pad=(1,)), (1, 2, 3, 3))
    assert gradients_are_right(layer, rng.standard_normal((1, 2, 3, 3)))
