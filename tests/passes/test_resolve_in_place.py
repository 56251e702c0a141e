from __future__ import annotations

import torch

from cortado.net.net import Net
from cortado.passes.resolve_in_place import resolve_in_place


def test_the_last_value_keeps_the_name(network, wiring):
    net = network("conv Convolution data -> a", "relu ReLU a -> a", "drop Dropout a -> a", "pool Pooling a -> b")
    assert wiring(resolve_in_place(net)) == [
        "conv data -> a@conv", "relu a@conv -> a@relu", "drop a@relu -> a", "pool a -> b"]


def test_a_reader_before_the_change_reads_the_earlier_value(network, wiring):
    net = network("conv Convolution data -> a", "pool Pooling a -> b", "relu ReLU a -> a", "soft Softmax a -> c")
    assert wiring(resolve_in_place(net)) == [
        "conv data -> a@conv", "pool a@conv -> b", "relu a@conv -> a", "soft a -> c"]


def test_an_input_keeps_its_name(network, wiring):
    net = network("relu ReLU data -> data", "pool Pooling data -> b")
    resolved = resolve_in_place(net)
    assert wiring(resolved) == ["relu data -> data@relu", "pool data@relu -> b"]
    assert resolved.layers[0].tops == ("data",)


def test_a_network_without_in_place_layers_is_the_same(network):
    net = network("conv Convolution data -> a", "relu ReLU a -> b")
    assert resolve_in_place(net) == net


def test_values_are_the_same(network, rng):
    net = network("conv Convolution data -> a", "pool Pooling a -> b", "relu ReLU a -> a", "soft Softmax a -> c")
    x = {"data": torch.from_numpy(rng.standard_normal((3, 2, 8, 8))).float()}
    before, after = Net(net, seed=1)(x), Net(resolve_in_place(net), seed=1)(x)
    for blob in "abc":
        assert torch.equal(before[blob], after[blob])
