from __future__ import annotations

from dataclasses import replace

import pytest

from cortado.errors import GraphError
from cortado.frontends.model import load_model
from cortado.passes import pipeline
from cortado.passes.pipeline import of_network, prepare

BRANCHES = (
    "conv Convolution data -> a : convolution_param { num_output: 4 kernel_size: 3 pad: 1 bias_term: false }",
    "norm BatchNorm a -> a", "scale Scale a -> a : scale_param { bias_term: true }", "relu ReLU a -> a",
    "split Split a -> left right",
    "grouped Convolution left -> l : convolution_param { num_output: 4 kernel_size: 3 pad: 1 group: 2 }",
    "grouped_relu ReLU l -> l", "drop Dropout right -> r",
    "pool Pooling r -> p : pooling_param { kernel_size: 3 pad: 1 }",
    "join Concat l p -> j", "ip InnerProduct j -> out", "last Scale out -> out",
)


def test_dropout_between_a_layer_and_its_relu(network, wiring, trained):
    net = network("conv Convolution data -> a", "drop Dropout a -> a", "relu ReLU a -> a", "pool Pooling a -> b")
    prepared, _ = prepare(net, trained(net))
    assert wiring(prepared) == ["conv +relu data -> a", "pool a -> b"]
    assert prepared.scale_groups == (frozenset({"a", "b"}),)


def test_digits_has_only_what_the_planner_places(wiring):
    model = load_model("digits")
    prepared, weights = prepare(model.spec, model.weights)
    assert wiring(prepared) == [
        "conv1_1 +relu1_1 data -> conv1_1", "conv1_2 +relu1_2 conv1_1 -> conv1_2", "pool1 conv1_2 -> pool1",
        "conv2_1 +relu2_1 pool1 -> conv2_1", "conv2_2 +relu2_2 conv2_1 -> conv2_2", "pool2 conv2_2 -> pool2",
        "score pool2 -> score", "prob score -> prob"]
    assert weights == model.weights


def test_everything_at_once(network, wiring, trained, outputs, same):
    net = network(*BRANCHES)
    weights = trained(net)
    prepared, changed = prepare(net, weights)
    assert wiring(prepared) == ["conv +relu data -> a", "grouped +grouped_relu a -> l", "pool a -> p", "join l p -> j",
                                "ip j -> out"]
    # The pooling and the Concat make all of them one; what the InnerProduct makes has a scale of its own.
    assert prepared.scale_groups == (frozenset({"a", "l", "p", "j"}),)
    assert set(changed) == {"conv", "grouped", "ip"}
    assert same(outputs(net, weights), outputs(prepared, changed))


def test_preparing_twice_changes_nothing(network, trained):
    net = network(*BRANCHES)
    once = prepare(net, trained(net))
    assert prepare(*once) == once


def test_a_pass_that_breaks_the_network_is_caught(network, monkeypatch):
    monkeypatch.setattr(pipeline, "PASSES", (of_network(lambda net: replace(net, layers=net.layers[1:])),))
    with pytest.raises(GraphError) as caught:
        prepare(network("pool Pooling data -> a"), {})
    assert str(caught.value) == "<text>:2:7: layer 'pool': bottom 0 'data' is produced by nobody"
