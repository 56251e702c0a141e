from __future__ import annotations

import numpy as np

from cortado.passes.split_shared import split_shared

SHARING = [
    f"{name} Convolution data -> {top} : convolution_param {{ num_output: 2 kernel_size: 3 }} "
    f'param {{ name: "w" lr_mult: 2 }} param {{ {bias} }}'
    for name, top, bias in (("one", "a", ""), ("two", "b", 'name: "bias"'), ("three", "c", 'name: "bias"'))]


def test_values_are_the_same(network, trained, outputs, same):
    """Drawn weights differ from sharer to sharer, and the last one's hold, as in the network that shares."""
    net = network(*SHARING)
    weights = trained(net)
    split, changed = split_shared(net, weights)
    assert same(outputs(net, weights), outputs(split, changed))
    for name in ("one", "two", "three"):
        assert [setting.name for setting in split.layer(name).blob_settings] == ["", ""]
        assert split.layer(name).blob_settings[0].lr_mult == 2
        np.testing.assert_array_equal(changed[name][0], weights["three"][0])
    np.testing.assert_array_equal(changed["one"][1], weights["one"][1])
    np.testing.assert_array_equal(changed["two"][1], weights["three"][1])


def test_training_keeps_them(network, trained):
    net = network(*SHARING, phase="TRAIN")
    weights = trained(net)
    assert split_shared(net, weights) == (net, weights)


def test_without_any_nothing_changes(network, trained):
    net = network("conv Convolution data -> a")
    weights = trained(net)
    assert split_shared(net, weights) == (net, weights)
