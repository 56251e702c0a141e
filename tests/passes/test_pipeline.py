from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cortado.errors import GraphError
from cortado.frontends.model import load_model
from cortado.net.net import Net
from cortado.passes import pipeline
from cortado.passes.pipeline import prepare


def test_dropout_between_a_layer_and_its_relu(network, wiring):
    net = network("conv Convolution data -> a", "drop Dropout a -> a", "relu ReLU a -> a", "pool Pooling a -> b")
    prepared = prepare(net)
    assert wiring(prepared) == ["conv +relu data -> a", "pool a -> b"]
    assert prepared.scale_groups == (frozenset({"a", "b"}),)


def test_digits_has_only_what_the_planner_places(wiring):
    prepared = prepare(load_model("digits").spec)
    assert wiring(prepared) == [
        "conv1_1 +relu1_1 data -> conv1_1", "conv1_2 +relu1_2 conv1_1 -> conv1_2", "pool1 conv1_2 -> pool1",
        "conv2_1 +relu2_1 pool1 -> conv2_1", "conv2_2 +relu2_2 conv2_1 -> conv2_2", "pool2 conv2_2 -> pool2",
        "score pool2 -> score", "prob score -> prob"]


def test_values_are_the_same(network, rng):
    net = network("conv Convolution data -> a", "relu ReLU a -> a", "drop Dropout a -> a", "pool Pooling a -> b",
                  "ip InnerProduct b -> c", "relu2 ReLU c -> c", "soft Softmax c -> d")
    x = {"data": torch.from_numpy(rng.standard_normal((3, 2, 8, 8))).float()}
    before, after = Net(net, seed=1)(x), Net(prepare(net), seed=1)(x)
    for blob in "abcd":
        assert torch.equal(before[blob], after[blob])


def test_preparing_twice_changes_nothing(network):
    prepared = prepare(network("conv Convolution data -> a", "relu ReLU a -> a", "pool Pooling a -> b"))
    assert prepare(prepared) == prepared


def test_a_pass_that_breaks_the_network_is_caught(network, monkeypatch):
    monkeypatch.setattr(pipeline, "PASSES", (lambda net: replace(net, layers=net.layers[1:]),))
    with pytest.raises(GraphError) as caught:
        prepare(network("pool Pooling data -> a"))
    assert str(caught.value) == "<text>:2:7: layer 'pool': bottom 0 'data' is produced by nobody"
