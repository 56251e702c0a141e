from __future__ import annotations

from dataclasses import replace

import pytest

from cortado.errors import LayerError
from cortado.net.shape_inference import count_macs, infer_shapes

CONV = 'name: "conv" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 4 kernel_size: 3 }'
RELU = 'name: "relu" type: "ReLU" bottom: "a" top: "a"'
POOL = 'name: "pool" type: "Pooling" bottom: "a" top: "b" pooling_param { kernel_size: 2 stride: 2 }'
IP = 'name: "ip" type: "InnerProduct" bottom: "b" top: "c" inner_product_param { num_output: 10 }'


@pytest.mark.parametrize(("batch", "n"), [(None, 1), (1, 1), (7, 7)])
def test_every_blob(network, batch, n):
    shapes = infer_shapes(network(CONV, RELU, POOL, IP), batch=batch)
    assert {name: shape.dims for name, shape in shapes.items()} == {
        "data": (n, 3, 8, 8), "a": (n, 4, 6, 6), "b": (n, 4, 3, 3), "c": (n, 10)}


def test_macs_are_of_the_whole_batch(network):
    net = network(CONV, RELU, POOL, IP)
    assert count_macs(net, infer_shapes(net, batch=5)) == {
        "input": 0, "conv": 5 * 4 * 6 * 6 * 3 * 9, "relu": 0, "pool": 0, "ip": 5 * 36 * 10}


def test_fused_layers_keep_their_rules(network):
    net = network(CONV)
    fused = replace(net.layers[1], fused=(replace(network(CONV, RELU).layer("relu"), bottoms=("a", "a")),))
    with pytest.raises(LayerError) as caught:
        infer_shapes(replace(net, layers=(net.layers[0], fused)))
    assert str(caught.value) == "n.prototxt:3:7: layer 'relu': ReLU must have 1 bottom, not 2"


@pytest.mark.parametrize(("layer", "message"), [
    ('name: "c" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 4 kernel_size: 9 }',
     "layer 'c': the padded height of bottom 'data' must be at least the kernel's 9, not 8"),
    ('name: "c" type: "Convolution" bottom: "data" top: "data" convolution_param { num_output: 4 kernel_size: 3 }',
     "layer 'c': top 'data' is computed in place and must keep the shape 1x3x8x8, not 1x4x6x6"),
    ('name: "c" type: "InnerProduct" bottom: "data" top: "a" inner_product_param { num_output: 12000000 }',
     "layer 'c': shape 12000000x192: at most 2147483647 elements, not 2304000000"),
    ('name: "c" type: "ReLU" bottom: "data" top: "a" top: "b"', "layer 'c': ReLU must have 1 top, not 2"),
])
def test_errors_have_the_place_of_the_layer(network, layer, message):
    with pytest.raises(LayerError) as caught:
        infer_shapes(network(layer))
    assert str(caught.value) == f"n.prototxt:2:7: {message}"


@pytest.mark.parametrize(("batch", "message"), [
    (0, "batch 0: shape 0x3x8x8: every dimension must be a whole number of at least 1, not 0"),
    (10**8, "batch 100000000: shape 100000000x3x8x8: at most 2147483647 elements, not 19200000000"),
])
def test_bad_batch(network, batch, message):
    with pytest.raises(LayerError) as caught:
        infer_shapes(network(CONV), batch=batch)
    assert str(caught.value) == f"n.prototxt:1:11: layer 'input': {message}"
