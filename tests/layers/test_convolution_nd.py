from __future__ import annotations

import pytest
import torch
from torch import nn

from cortado.errors import FieldError, LayerError
from cortado.graph.shape import TensorShape
from cortado.layers.layer import layer_types


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("axes", [1, 3])
def test_equals_torch(make_spec, make_layer, top_dims, gradients_are_right, transposed, bias, group, axes):
    x = torch.randn(2, 4, *(4, 6, 3)[:axes], dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    kernel, stride, dilation = (2, 3, 1)[:axes], (2, 1, 2)[:axes], (1, 2, 1)[:axes]
    kind = {(1, False): nn.Conv1d, (3, False): nn.Conv3d, (1, True): nn.ConvTranspose1d,
            (3, True): nn.ConvTranspose3d}[axes, transposed]
    module = kind(4, 6, kernel, stride, dilation=dilation, groups=group, bias=bias).double()
    spec = make_spec("ConvolutionND", num_output=6, bias_term=bias, kernel=kernel, stride=stride, dilation=dilation,
                     group=group, transposed=transposed)
    layer = make_layer(spec, tuple(x.shape)).double()
    with torch.no_grad():
        for blob, value in zip(layer.blobs, module.parameters(), strict=True):
            blob.copy_(value)
    torch.testing.assert_close(layer(x)[0], module(x))
    assert top_dims(spec, tuple(x.shape)) == [tuple(module(x).shape)]
    # Of one item: what gradcheck takes grows with the square of it.
    assert gradients_are_right(layer, x[:1].numpy())


def test_products(make_spec):
    spec = make_spec("ConvolutionND", num_output=6, kernel=(3,), stride=(1,), dilation=(1,))
    assert layer_types["ConvolutionND"].macs(spec, (TensorShape((2, 4, 5)),)) == 2 * 3 * 6 * 4 * 3


def test_what_does_not_fit(make_spec, top_dims):
    with pytest.raises(FieldError, match=r"^group must be at least 1 and divide num_output 4, not 3$"):
        make_spec("ConvolutionND", num_output=4, kernel=(3,), stride=(1,), dilation=(1,), group=3)
    with pytest.raises(LayerError, match=r"^layer 'x': bottom 'b0' must be at least the kernel's 5 along each axis, "
                                         r"not 4$"):
        top_dims(make_spec("ConvolutionND", num_output=4, kernel=(3,), stride=(1,), dilation=(2,)), (1, 2, 4))
