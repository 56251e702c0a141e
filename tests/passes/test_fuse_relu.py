from __future__ import annotations

from cortado.passes.fuse_relu import fuse_relu


def test_behind_convolution_and_inner_product(network, wiring):
    net = network("conv Convolution data -> a", "relu1 ReLU a -> b", "ip InnerProduct b -> c", "relu2 ReLU c -> d")
    fused = fuse_relu(net)
    assert wiring(fused) == ["conv +relu1 data -> b", "ip +relu2 b -> d"]
    assert fused.layer("conv").fused == (net.layer("relu1"),)


def test_one_behind_another(network, wiring):
    net = network("conv Convolution data -> a", "r1 ReLU a -> b", "r2 ReLU b -> c")
    assert wiring(fuse_relu(net)) == ["conv +r1 data -> b", "r2 b -> c"]


def test_a_value_others_read_keeps_its_relu(network, wiring):
    net = network("conv Convolution data -> a", "relu ReLU a -> b", "pool Pooling a -> c")
    assert wiring(fuse_relu(net)) == ["conv data -> a", "relu a -> b", "pool a -> c"]


def test_behind_pooling_or_an_input_it_stays(network, wiring):
    net = network("pool Pooling data -> a", "relu ReLU a -> b", "other ReLU data -> c")
    assert wiring(fuse_relu(net)) == ["pool data -> a", "relu a -> b", "other data -> c"]


def test_layers_between_keep_their_order(network, wiring):
    net = network("conv Convolution data -> a", "pool Pooling data -> p", "relu ReLU a -> b", "soft Softmax b -> s")
    assert wiring(fuse_relu(net)) == ["conv +relu data -> b", "pool data -> p", "soft b -> s"]
