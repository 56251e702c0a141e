"""The view against the layers themselves: the same values come out of the convolution it describes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from cortado.frontends.prototxt import parse_prototxt
from cortado.graph.shape import TensorShape
from cortado.layers.convolution_view import ConvolutionView, kernel_weight
from cortado.net.net import Net

CASES = {
    "convolution": ((2, 6, 9, 8), """type: "Convolution" convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2
                                     stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 2 dilation: 2 dilation: 1 group: 2 }"""),
    "inner product": ((3, 4, 2, 5), 'type: "InnerProduct" inner_product_param { num_output: 7 }'),
    "transposed": ((3, 4, 2, 5), 'type: "InnerProduct" inner_product_param { num_output: 7 transpose: true }'),
    "inner product of rows": ((3, 4, 2, 5), 'type: "InnerProduct" inner_product_param { num_output: 7 axis: -1 }'),
    "inner product of everything": ((3, 4), 'type: "InnerProduct" inner_product_param { num_output: 2 axis: 0 }'),
}


@pytest.mark.parametrize(("dims", "layer"), CASES.values(), ids=CASES)
def test_the_convolution_it_describes_is_the_layer(dims, layer):
    shape = " ".join(f"dim: {dim}" for dim in dims)
    spec = parse_prototxt(f'name: "n" input: "x" input_shape {{ {shape} }} layer {{ name: "y" bottom: "x" top: "y" '
                          f"{layer} }}")
    net = Net(spec, seed=3)
    x = torch.randn(dims, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = net({"x": x})["y"]
        view = ConvolutionView(layer=spec.layer("y"), bottom=TensorShape(dims))
        weight, bias = net.weights()["y"]
        top, bottom, left, right = view.pad
        result = functional.conv2d(
            functional.pad(x.reshape(view.maps.dims), (left, right, top, bottom)),
            torch.tensor(kernel_weight(view.layer, weight)), torch.tensor(bias), view.stride, 0, view.dilation,
            view.group)
    assert view.top.dims == tuple(expected.shape)
    assert kernel_weight(view.layer, weight).shape == (view.filters, view.maps.dims[1] // view.group, *view.kernel)
    assert view.taps == kernel_weight(view.layer, weight)[0].size
    torch.testing.assert_close(result.reshape(view.top.dims), expected)


def test_an_inner_product_flattens_channel_row_column():
    spec = parse_prototxt('name: "n" input: "x" input_shape { dim: 2 dim: 3 dim: 4 dim: 5 } layer { name: "y" bottom: '
                          '"x" top: "y" type: "InnerProduct" inner_product_param { num_output: 7 } }')
    view = ConvolutionView(layer=spec.layer("y"), bottom=TensorShape((2, 3, 4, 5)))
    assert (view.maps.dims, view.top.dims) == ((2, 60, 1, 1), (2, 7))
    assert (view.kernel, view.stride, view.dilation, view.group, view.pad) == ((1, 1), (1, 1), (1, 1), 1, (0, 0, 0, 0))
