"""Convolution against nested loops that know nothing of torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import FieldError, LayerError
from cortado.graph.shape import TensorShape
from cortado.layers.convolution import Convolution, ConvolutionParameters


def naive_convolution(x, weight, bias, *, stride, pad, dilation, group):
    """(N, C, H, W) and (K, C / group, R, S) -> (N, K, OH, OW), one multiplication at a time."""
    batch, channels, height, width = x.shape
    outputs, _, rows, columns = weight.shape
    out_height = (height + 2 * pad[0] - dilation[0] * (rows - 1) - 1) // stride[0] + 1
    out_width = (width + 2 * pad[1] - dilation[1] * (columns - 1) - 1) // stride[1] + 1
    y = np.zeros((batch, outputs, out_height, out_width))
    for n, k, oy, ox in np.ndindex(y.shape):
        first_channel = k // (outputs // group) * (channels // group)
        for c, r, s in np.ndindex(weight.shape[1:]):
            iy, ix = oy * stride[0] - pad[0] + r * dilation[0], ox * stride[1] - pad[1] + s * dilation[1]
            if 0 <= iy < height and 0 <= ix < width:
                y[n, k, oy, ox] += x[n, first_channel + c, iy, ix] * weight[k, c, r, s]
        y[n, k, oy, ox] += bias[k]
    return y


@pytest.mark.parametrize(("fields", "stride", "pad", "dilation", "group"), [
    ({"kernel_size": (3,)}, (1, 1), (0, 0), (1, 1), 1),
    ({"kernel_size": (3,), "pad": (1,)}, (1, 1), (1, 1), (1, 1), 1),
    ({"kernel_size": (3,), "pad": (2,), "stride": (2,)}, (2, 2), (2, 2), (1, 1), 1),
    ({"kernel_size": (1,), "group": 2}, (1, 1), (0, 0), (1, 1), 2),
    ({"kernel_size": (3,), "group": 4, "pad": (1,)}, (1, 1), (1, 1), (1, 1), 4),
    ({"kernel_size": (2,), "dilation": (2,)}, (1, 1), (0, 0), (2, 2), 1),
    ({"kernel_h": 1, "kernel_w": 3, "pad_h": 0, "pad_w": 1, "stride_h": 2, "stride_w": 1},
     (2, 1), (0, 1), (1, 1), 1),
    ({"kernel_size": (3, 2), "pad": (1, 0), "stride": (1, 2), "dilation": (2, 1), "group": 2},
     (1, 2), (1, 0), (2, 1), 2),
])
def test_equals_nested_loops(make_spec, make_layer, top_dims, rng, fields, stride, pad, dilation, group):
    spec = make_spec("Convolution", num_output=8, **fields)
    x = rng.standard_normal((2, 4, 6, 7))
    layer = make_layer(spec, x.shape).double()
    weight, bias = (rng.standard_normal(blob.shape) for blob in layer.blobs)
    with torch.no_grad():
        for blob, values in zip(layer.blobs, (weight, bias), strict=True):
            blob.copy_(torch.from_numpy(values))
        y, = layer(torch.from_numpy(x))
    expected = naive_convolution(x, weight, bias, stride=stride, pad=pad, dilation=dilation, group=group)
    np.testing.assert_allclose(y.numpy(), expected, rtol=0, atol=1e-12)
    assert top_dims(spec, x.shape) == [expected.shape]


def test_without_bias(make_spec, make_layer, rng):
    spec = make_spec("Convolution", num_output=2, kernel_size=(1,), bias_term=False)
    layer = make_layer(spec, (1, 1, 1, 2)).double()
    with torch.no_grad():
        layer.blobs[0].copy_(torch.tensor([[[[2.0]]], [[[-3.0]]]]))
        y, = layer(torch.tensor([[[[1.0, 10.0]]]], dtype=torch.float64))
    assert y.tolist() == [[[[2, 20]], [[-3, -30]]]]


def test_blob_shapes_and_macs(make_spec):
    """AlexNet's conv2: 307,200 weights in two groups, 27x27 outputs, 223,948,800 multiply-accumulates a picture."""
    spec = make_spec("Convolution", num_output=256, kernel_size=(5,), pad=(2,), group=2)
    bottoms = (TensorShape((10, 96, 27, 27)),)
    assert [shape.dims for shape in Convolution.blob_shapes(spec, bottoms)] == [(256, 48, 5, 5), (256,)]
    assert Convolution.macs(spec, bottoms) == 10 * 223_948_800


def test_normalised_fields():
    parameters = ConvolutionParameters(num_output=1, kernel_size=(3,), stride=(2, 1), pad_h=4, pad_w=5)
    assert parameters.kernel == (3, 3)
    assert parameters.strides == (2, 1)
    assert parameters.pads == (4, 5)
    assert parameters.dilations == (1, 1)


@pytest.mark.parametrize(("fields", "message"), [
    ({}, "kernel_size must be given (or kernel_h and kernel_w)"),
    ({"kernel_size": (0,)}, "kernel_size must be from 1 to 1048576, not 0"),
    ({"kernel_size": (3, -1)}, "kernel_size must be from 1 to 1048576, not -1"),
    ({"kernel_size": (3, 3, 3)}, "kernel_size must have one value, or height and width, not 3 values"),
    ({"kernel_size": (3,), "kernel_h": 3}, "kernel_size must not be given beside kernel_h and kernel_w"),
    ({"kernel_h": 3}, "kernel_h must be given together with kernel_w"),
    ({"kernel_w": 3}, "kernel_w must be given together with kernel_h"),
    ({"kernel_h": 3, "kernel_w": 0}, "kernel_w must be from 1 to 1048576, not 0"),
    ({"kernel_size": (3,), "stride": (0,)}, "stride must be from 1 to 1048576, not 0"),
    ({"kernel_size": (3,), "pad": (-1,)}, "pad must be from 0 to 1048576, not -1"),
    ({"kernel_size": (3,), "pad": (2**40,)}, "pad must be from 0 to 1048576, not 1099511627776"),
    ({"kernel_size": (3,), "dilation": (0,)}, "dilation must be from 1 to 1048576, not 0"),
    ({"kernel_size": (3,), "num_output": -8}, "num_output must be at least 1, not -8"),
    ({"kernel_size": (3,), "group": 0}, "group must be at least 1, not 0"),
    ({"kernel_size": (3,), "group": 3}, "num_output must be a multiple of group 3, not 8"),
    ({"kernel_size": (3,), "axis": 2}, "axis must be 1, the channels of (N, C, H, W), not 2"),
])
def test_bad_fields(fields, message):
    with pytest.raises(FieldError) as caught:
        ConvolutionParameters(**{"num_output": 8, **fields})
    assert str(caught.value) == message


@pytest.mark.parametrize(("fields", "dims", "message"), [
    ({"kernel_size": (3,)}, (1, 4), "layer 'x': bottom 'b0' must have four dimensions (N, C, H, W), not 1x4"),
    ({"kernel_size": (3,), "group": 2}, (1, 5, 8, 8),
     "layer 'x': the channels of bottom 'b0' must be a multiple of group 2, not 5"),
    ({"kernel_size": (3,), "pad": (1,), "dilation": (4,)}, (1, 4, 8, 6),
     "layer 'x': the padded width of bottom 'b0' must be at least the kernel's 9, not 8"),
    ({"kernel_size": (1000,), "pad": (2**20,), "stride": (2**20,), "num_output": 2048}, (1, 4, 8, 8),
     "layer 'x': shape 2048x4x1000x1000: at most 2147483647 elements, not 8192000000"),
])
def test_bad_bottoms(make_spec, top_dims, fields, dims, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("Convolution", **{"num_output": 8, **fields}), dims)
    assert str(caught.value) == message


@pytest.mark.parametrize("group", [1, 2])
def test_gradient(make_spec, make_layer, fill, gradients_are_right, rng, group):
    spec = make_spec("Convolution", num_output=4, kernel_size=(2, 3), stride=(2,), pad=(1,), dilation=(1, 2),
                     group=group)
    layer = make_layer(spec, (1, 2, 5, 6))
    fill(layer, *(rng.standard_normal(blob.shape) for blob in layer.blobs))
    assert gradients_are_right(layer, rng.standard_normal((1, 2, 5, 6)))
