from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.graph.shape import TensorShape
from cortado.layers.deconvolution import Deconvolution


def naive_deconvolution(x, weight, bias, *, stride, pad, dilation, groups):
    """Every input value adds its kernel to the output: (N, C, H, W), (C, K / groups, R, S) -> (N, K, OH, OW)."""
    batch, channels, height, width = x.shape
    _, filters, rows, columns = weight.shape
    full = [stride[0] * (height - 1) + dilation[0] * (rows - 1) + 1,
            stride[1] * (width - 1) + dilation[1] * (columns - 1) + 1]
    y = np.zeros((batch, filters * groups, *full))
    for n, c, iy, ix in np.ndindex(x.shape):
        group = c // (channels // groups)
        for k, r, s in np.ndindex(filters, rows, columns):
            place = (n, group * filters + k, iy * stride[0] + r * dilation[0], ix * stride[1] + s * dilation[1])
            y[place] += x[n, c, iy, ix] * weight[c, k, r, s]
    y = y[:, :, pad[0]:full[0] - pad[0], pad[1]:full[1] - pad[1]]
    return y + bias[:, None, None]


@pytest.mark.parametrize(("kernel", "stride", "pad", "dilation", "groups"), [
    ((3, 3), (1, 1), (0, 0), (1, 1), 1),
    ((4, 4), (2, 2), (1, 1), (1, 1), 2),  # the upsampling of fully convolutional networks
    ((2, 3), (3, 1), (0, 1), (1, 2), 1),
    ((1, 1), (2, 2), (0, 0), (1, 1), 2),
])
def test_equals_nested_loops(make_spec, make_layer, fill, top_dims, gradients_are_right, rng, kernel, stride, pad,
                             dilation, groups):
    spec = make_spec("Deconvolution", num_output=6, group=groups, kernel_h=kernel[0], kernel_w=kernel[1],
                     stride_h=stride[0], stride_w=stride[1], pad_h=pad[0], pad_w=pad[1], dilation=dilation)
    x, weight, bias = (rng.standard_normal(dims) for dims in ((2, 4, 3, 4), (4, 6 // groups, *kernel), (6,)))
    layer = make_layer(spec, x.shape)
    fill(layer, weight, bias)
    y, = layer(torch.from_numpy(x))
    expected = naive_deconvolution(x, weight, bias, stride=stride, pad=pad, dilation=dilation, groups=groups)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=0, atol=1e-12)
    assert top_dims(spec, x.shape) == [expected.shape]
    assert gradients_are_right(layer, x[:1])


def test_blob_shapes_and_macs(make_spec):
    spec = make_spec("Deconvolution", num_output=6, group=2, kernel_size=(4,), bias_term=False)
    bottoms = (TensorShape((2, 8, 5, 5)),)
    assert [shape.dims for shape in Deconvolution.blob_shapes(spec, bottoms)] == [(8, 3, 4, 4)]
    # Each of 2x8x5x5 values meets 3 kernels of 4x4.
    assert Deconvolution.macs(spec, bottoms) == 400 * 48


@pytest.mark.parametrize(("fields", "message"), [
    ({"group": 2}, "the channels of bottom 'b0' must be a multiple of group 2, not 3"),
    ({"pad": (1,)}, "pad must leave something of the 2 that the height of bottom 'b0' grows to, it takes 2"),
])
def test_bad_bottoms(make_spec, top_dims, fields, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Deconvolution", num_output=2, kernel_size=(1,), **fields), (1, 3, 2, 9))
    assert str(caught.value) == f"layer 'x': {message}"
