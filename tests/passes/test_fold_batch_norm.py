from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import WeightsError
from cortado.graph.check import check
from cortado.passes.fold_batch_norm import fold_batch_norm

SCALE = "scale Scale b -> c : scale_param { bias_term: true }"
FLAT = "ip InnerProduct data -> a : inner_product_param {{ num_output: 5 {} }}"


@pytest.mark.parametrize("lines", [
    ("conv Convolution data -> a", "norm BatchNorm a -> b", SCALE),
    ("conv Convolution data -> a", "norm BatchNorm a -> b"),
    ("conv Convolution data -> a", "scale Scale a -> b"),
    ("conv Convolution data -> a", "bias Bias a -> b"),
    ("conv Convolution data -> a", "scale Scale a -> b : scale_param { num_axes: 0 bias_term: true }"),
    ("conv Convolution data -> a", "scale Scale a -> b : scale_param { axis: -3 }"),
    ("conv Convolution data -> a : convolution_param { num_output: 4 kernel_size: 3 group: 2 bias_term: false }",
     "norm BatchNorm a -> b", SCALE),
    (FLAT.format(""), "norm BatchNorm a -> b", SCALE),
    (FLAT.format("transpose: true bias_term: false"), "norm BatchNorm a -> b", SCALE),
    (FLAT.format(""), "scale Scale a -> b : scale_param { num_axes: -1 }"),
])
@pytest.mark.parametrize("behind", [True, False])
def test_folded_and_values_are_the_same(network, wiring, trained, outputs, same, lines, behind):
    last = lines[-1].split(" : ")[0].split()[-1]
    net = network(*lines, *([f"relu ReLU {last} -> out"] if behind else []))
    weights = trained(net)
    folded, changed = fold_batch_norm(net, weights)
    check(folded)
    name = lines[0].split()[0]
    assert wiring(folded) == [f"{name} data -> {last}", *([f"relu {last} -> out"] if behind else [])]
    assert folded.layer(name).parameters.bias_term
    assert list(changed) == [name]
    assert all(blob.dtype == np.float32 for blob in changed[name])
    assert same(outputs(net, weights), outputs(folded, changed))


def test_statistics_of_a_network_that_has_never_been_trained(network, trained, outputs, same):
    net = network("conv Convolution data -> a", "norm BatchNorm a -> b")
    weights = {**trained(net), "norm": (np.ones(2, np.float32), np.ones(2, np.float32), np.zeros(1, np.float32))}
    assert same(outputs(net, weights), outputs(*fold_batch_norm(net, weights)))


@pytest.mark.parametrize("lines", [
    # Another reader, an activation in between, no layer with weights before.
    ("conv Convolution data -> a", "norm BatchNorm a -> b", "pool Pooling a -> c"),
    ("conv Convolution data -> a", "relu ReLU a -> b", "norm BatchNorm b -> c"),
    ("pool Pooling data -> a", "norm BatchNorm a -> b"),
    ("norm BatchNorm data -> a", "conv Convolution a -> b"),
    # Statistics of the batch; a factor for each row or picture; a factor another layer makes.
    ("conv Convolution data -> a", "norm BatchNorm a -> b : batch_norm_param { use_global_stats: false }"),
    ("conv Convolution data -> a", "scale Scale a -> b : scale_param { axis: 2 }"),
    ("conv Convolution data -> a", "scale Scale a -> b : scale_param { num_axes: 2 }"),
    ("conv Convolution data -> a", "other Convolution data -> b", "scale Scale a b -> c : scale_param { axis: 0 }"),
    # Channels of the InnerProduct's top on axis 2.
    ("ip InnerProduct data -> a : inner_product_param { num_output: 5 axis: 2 }", "norm BatchNorm a -> b"),
])
def test_what_stays(network, trained, lines):
    net = network(*lines)
    weights = trained(net)
    assert fold_batch_norm(net, weights) == (net, weights)


def test_training_keeps_it(network, trained):
    net = network("conv Convolution data -> a", "norm BatchNorm a -> b", phase="TRAIN")
    weights = trained(net)
    assert fold_batch_norm(net, weights) == (net, weights)


def test_a_variance_without_a_root(network, trained):
    net = network("conv Convolution data -> a", "norm BatchNorm a -> b")
    weights = {**trained(net), "norm": (np.zeros(2, np.float32), np.array([1, -2], np.float32), np.ones(1, np.float32))}
    with pytest.raises(WeightsError) as caught:
        fold_batch_norm(net, weights)
    assert str(caught.value) == ("layer 'norm': its variance and eps must add up to more than 0, channel 1 has "
                                 "-1.99999")
