from __future__ import annotations

import numpy as np
import pytest

from cortado.graph.check import check
from cortado.passes.fuse_relu import fuse_relu
from cortado.passes.split_groups import split_groups

GROUPED = "conv Convolution data -> a : convolution_param { num_output: 6 kernel_size: 3 pad: 1 group: 2 }"


def test_slice_convolutions_concat(network, wiring, trained):
    net = fuse_relu(network(GROUPED, "relu ReLU a -> b", "pool Pooling b -> c"))
    weights = trained(net)
    split, changed = split_groups(net, weights, {"conv"})
    check(split)
    assert wiring(split) == [
        "conv/slice data -> data@conv/group1 data@conv/group2",
        "conv/group1 +relu data@conv/group1 -> b@conv/group1",
        "conv/group2 +relu data@conv/group2 -> b@conv/group2",
        "conv/concat b@conv/group1 b@conv/group2 -> b",
        "pool b -> c"]
    part = split.layer("conv/group2")
    assert (part.parameters.group, part.parameters.num_output, part.part_of) == (1, 3, "conv")
    assert set(changed) == {"conv/group1", "conv/group2"}
    np.testing.assert_array_equal(changed["conv/group2"][0], weights["conv"][0][3:])
    np.testing.assert_array_equal(changed["conv/group2"][1], weights["conv"][1][3:])


@pytest.mark.parametrize("fields", [
    "num_output: 6 kernel_size: 3 pad: 1 group: 2",
    "num_output: 4 kernel_h: 1 kernel_w: 3 stride: 2 group: 2 bias_term: false",
])
@pytest.mark.parametrize("relu", [True, False])
def test_values_are_the_same(network, trained, outputs, same, fields, relu):
    lines = [f"conv Convolution data -> a : convolution_param {{ {fields} }}", "pool Pooling a -> p"]
    if relu:
        lines.insert(1, "relu ReLU a -> b")
        lines[2] = "pool Pooling b -> p"
    net = fuse_relu(network(*lines))
    weights = trained(net)
    assert same(outputs(net, weights), outputs(*split_groups(net, weights, {"conv"})))


def test_only_those_named(network, trained):
    net = network(GROUPED, "other Convolution a -> b : convolution_param { num_output: 6 kernel_size: 3 group: 3 }")
    weights = trained(net)
    split, changed = split_groups(net, weights, {"other"})
    assert split.layer("conv") == net.layer("conv")
    assert len(split.layers) == len(net.layers) + 4
    assert changed["conv"][0] is weights["conv"][0]
    assert split_groups(net, weights, ()) == (net, weights)


def test_weights_given_are_left_alone(network, trained):
    net = network(GROUPED)
    weights = trained(net)
    before = {name: tuple(blob.copy() for blob in blobs) for name, blobs in weights.items()}
    split_groups(net, weights, {"conv"})
    assert list(weights) == ["conv"]
    for blob, copy in zip(weights["conv"], before["conv"], strict=True):
        np.testing.assert_array_equal(blob, copy)
