"""The runnable network against its layers written out by hand in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.errors import GraphError, LayerError, WeightsError
from cortado.frontends.prototxt import parse_prototxt
from cortado.net.net import Net

RELU = 'name: "relu" type: "ReLU" bottom: "a" top: "a"'
SOFT = 'name: "soft" type: "Softmax" bottom: "a" top: "prob"'
LABEL = 'name: "label" type: "Input" top: "label" input_param { shape { dim: 1 } }'
LOSS = 'name: "loss" type: "SoftmaxWithLoss" bottom: "a" bottom: "label" top: "loss"'


def inner_product(bottom, top, outputs, name="ip", more=""):
    return (f'name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{top}" {more} '
            f"inner_product_param {{ num_output: {outputs} }}")


@pytest.fixture
def small(network):
    """An inner product, a ReLU in place, a softmax."""
    return network(inner_product("data", "a", 4), RELU, SOFT)


@pytest.fixture
def weights(rng):
    return {"ip": (rng.standard_normal((4, 192)).astype(np.float32), rng.standard_normal(4).astype(np.float32))}


def test_equals_the_layers_by_hand(small, weights, rng):
    x = rng.standard_normal((5, 3, 8, 8)).astype(np.float32)
    values = Net(small, weights)({"data": torch.from_numpy(x)})
    a = np.maximum(x.reshape(5, 192) @ weights["ip"][0].T + weights["ip"][1], 0)
    exponentials = np.exp(a - a.max(1, keepdims=True))
    np.testing.assert_allclose(values["a"].detach().numpy(), a, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(values["prob"].detach().numpy(), exponentials / exponentials.sum(1, keepdims=True),
                               rtol=1e-3, atol=1e-6)
    assert set(values) == {"data", "a", "prob"}


def test_inputs_outputs_and_shapes(small, weights):
    net = Net(small, weights, batch=6)
    assert (net.inputs, net.outputs) == (("data",), ("prob",))
    assert net.shapes["data"].dims == (6, 3, 8, 8)
    assert net.shapes["prob"].dims == (6, 4)


def test_a_blob_read_before_it_is_changed_in_place(network):
    """The softmax reads a before the ReLU: Caffe's meaning of the order of layers."""
    net = Net(network(inner_product("data", "a", 4), SOFT, RELU), seed=1)
    values = net({"data": torch.full((1, 3, 8, 8), -1.0)})
    before, = net.stage("ip")(torch.full((1, 3, 8, 8), -1.0))
    assert torch.equal(values["prob"], torch.softmax(before, 1))
    assert torch.equal(values["a"], before.clamp(min=0))
    assert net.outputs == ("prob", "a")


def test_given_weights_are_copied_and_given_back(small, weights):
    net = Net(small, weights)
    weights["ip"][0][:] = 0
    returned = net.weights()
    assert list(returned) == ["ip"]
    assert np.abs(returned["ip"][0]).min() > 0
    returned["ip"][0][:] = 0
    assert net.stage("ip").layer.blobs[0].abs().min() > 0


def test_seeded_networks_are_equal(small):
    first, second = Net(small, seed=5), Net(small, seed=5)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


def test_without_weights_or_seed(small):
    with pytest.raises(WeightsError) as caught:
        Net(small)
    assert str(caught.value) == "network 'n' has trained layers: weights or a seed must be given"


def test_weights_that_do_not_fit(small):
    with pytest.raises(WeightsError) as caught:
        Net(small, {})
    assert str(caught.value) == "layer 'ip': expected 2 blobs (4x192, 4), found no blobs"


@pytest.mark.parametrize(("inputs", "message"), [
    ({}, "network 'n': inputs must be 'data', not none"),
    ({"data": torch.zeros(1, 3, 8, 8), "label": torch.zeros(1)},
     "network 'n': inputs must be 'data', not 'data', 'label'"),
    ({"data": torch.zeros(3, 8, 8)}, "network 'n': input 'data' must have shape Nx3x8x8, not 3x8x8"),
    ({"data": torch.zeros(2, 1, 8, 8)}, "network 'n': input 'data' must have shape Nx3x8x8, not 2x1x8x8"),
    ({"data": torch.zeros(0, 3, 8, 8)}, "network 'n': input 'data' must have shape Nx3x8x8, not 0x3x8x8"),
    ({"data": torch.zeros(())}, "network 'n': input 'data' must have shape Nx3x8x8, not scalar"),
])
def test_bad_inputs(small, inputs, message):
    with pytest.raises(GraphError) as caught:
        Net(small, seed=0)(inputs)
    assert str(caught.value) == message


def test_a_stage_that_is_not_there(small):
    with pytest.raises(LookupError) as caught:
        Net(small, seed=0).stage("conv")
    assert str(caught.value) == "network 'n' has no layer 'conv' (it has: input, ip, relu, soft)"


def test_it_trains(network, rng):
    """Two classes told apart by the sign of their sum are learned in a few steps of plain gradient descent."""
    net = Net(network(LABEL, inner_product("data", "a", 2), LOSS, phase="TRAIN"), seed=0)
    assert net.training
    data = torch.from_numpy(rng.standard_normal((64, 3, 8, 8))).float()
    inputs = {"data": data, "label": (data.sum((1, 2, 3)) > 0).long()}
    losses = []
    for _ in range(20):
        loss = net.loss(net(inputs))
        losses.append(loss.item())
        with torch.no_grad():
            for blob, gradient in zip(net.parameters(), torch.autograd.grad(loss, net.parameters()), strict=True):
                blob -= 0.1 * gradient
    assert losses[-1] < 0.1 * losses[0]


def test_the_loss_is_weighted(network):
    layers = [LABEL, inner_product("data", "a", 2), LOSS + " loss_weight: 3",
              'name: "extra" type: "ReLU" bottom: "a" top: "e" loss_weight: 0.5']
    net = Net(network(*layers, phase="TRAIN"), seed=0)
    values = net({"data": torch.ones(4, 3, 8, 8), "label": torch.tensor([0, 1, 1, 0])})
    assert net.loss(values).item() == pytest.approx(3 * values["loss"].item() + 0.5 * values["e"].sum().item())


def test_a_network_without_a_loss(small):
    net = Net(small, seed=0)
    with pytest.raises(GraphError) as caught:
        net.loss(net({"data": torch.zeros(1, 3, 8, 8)}))
    assert str(caught.value) == "network 'n': at least one top must have a loss weight, none has one in phase TEST"


def test_gradients_stop_where_the_file_says(network):
    layers = [LABEL, inner_product("data", "b", 3),
              inner_product("b", "a", 2, name="ip2", more="propagate_down: false"), LOSS]
    net = Net(network(*layers, phase="TRAIN"), seed=0)
    net.loss(net({"data": torch.ones(1, 3, 8, 8), "label": torch.tensor([0])})).backward()
    assert net.stage("ip").layer.blobs[0].grad is None
    assert net.stage("ip2").layer.blobs[0].grad is not None


def test_blobs_of_one_name_are_one_blob(network):
    layers = [inner_product("data", top, 2, name=name, more='param { name: "w" }')
              for name, top in (("left", "a"), ("right", "b"))]
    net = Net(network(*layers), seed=0)
    left, right = net.stage("left").layer, net.stage("right").layer
    assert left.blobs[0] is right.blobs[0]
    assert left.blobs[1] is not right.blobs[1]
    assert len(list(net.parameters())) == 3


def test_shared_blobs_of_different_shapes(network):
    layers = [inner_product("data", "a", 2, more='param { name: "w" }'),
              inner_product("a", "b", 2, name="ip2", more='param { name: "w" }')]
    with pytest.raises(LayerError) as caught:
        Net(network(*layers), seed=0)
    assert str(caught.value) == ("n.prototxt:3:7: layer 'ip2': blob 0 is shared as 'w' and must have the shape 2x192 "
                                 "it has in layer 'ip', not 2x2")


def test_settings_of_blobs_that_are_not_there(network):
    with pytest.raises(LayerError) as caught:
        Net(network('name: "relu" type: "ReLU" bottom: "data" top: "a" param { lr_mult: 1 }'))
    assert str(caught.value) == (
        "n.prototxt:2:7: layer 'relu': settings must be for at most its 0 trained blobs, not for 1")


SHARED = ('name: "{name}" type: "InnerProduct" bottom: "data" top: "{name}" param {{ name: "w" {settings} }} '
          'inner_product_param {{ num_output: 2 bias_term: false weight_filler {{ value: {value} }} }}')


def shared(first="", second=""):
    return (SHARED.format(name="one", value=1, settings=first), SHARED.format(name="two", value=2, settings=second))


def test_the_first_filler_of_a_shared_blob_holds(network):
    net = Net(network(*shared()), seed=0, fillers=True)
    assert len(net.trained_blobs) == 1
    for name in ("one", "two"):
        assert (net.weights()[name][0] == 1).all()


@pytest.mark.parametrize(("first", "second", "expected"), [
    ("", "", 1), ("lr_mult: 3", "lr_mult: 3", 3), ("lr_mult: 3", "", 3), ("", "lr_mult: 3", 3)])
def test_the_factor_of_a_shared_blob(network, first, second, expected):
    blob, = Net(network(*shared(first, second)), seed=0).trained_blobs
    assert (blob.layer, blob.index, blob.lr_mult) == ("one", 0, expected)


def test_factors_of_a_shared_blob_that_disagree(network):
    with pytest.raises(LayerError) as caught:
        Net(network(*shared("lr_mult: 3", "lr_mult: 2")), seed=0)
    assert str(caught.value) == ("n.prototxt:3:7: layer 'two': blob 0 is shared as 'w' and must have the lr_mult 3 it "
                                 "has in layer 'one', not 2")


def test_a_blob_with_lr_mult_0_takes_no_gradient(network):
    net = Net(network(*shared("lr_mult: 0")), seed=0)
    assert [blob.requires_grad for blob in net.parameters()] == [False]


def test_weights_of_some_layers(network, rng):
    net = Net(network(inner_product("data", "a", 2, "a"), inner_product("data", "b", 3, "b")), seed=0)
    before = net.weights()
    given = rng.standard_normal((2, 192)).astype(np.float32)
    assert net.copy_from({"a": (given, np.zeros(2, np.float32)), "c": (given,)}) == ("a",)
    np.testing.assert_array_equal(net.weights()["a"][0], given)
    np.testing.assert_array_equal(net.weights()["b"][0], before["b"][0])
    with pytest.raises(WeightsError, match=r"^layer 'b': expected 2 blobs \(3x192, 3\), found 1 blob \(2x192\)$"):
        net.copy_from({"b": (given,)})


def test_networks_that_share_their_blobs(network):
    one, two = (Net(network(inner_product("data", "a", 2, "a"), inner_product("data", name, 3, name)), seed=seed)
                for seed, name in enumerate("bc"))
    two.share_blobs_of(one)
    with torch.no_grad():
        one.stage("a").layer.blobs[0].zero_()
    assert (two.weights()["a"][0] == 0).all()
    assert two.weights()["c"][0].any()
    other = Net(network(inner_product("data", "a", 5, "a")), seed=0)
    with pytest.raises(WeightsError) as caught:
        other.share_blobs_of(one)
    assert str(caught.value) == ("layer 'a': its trained blobs must have the same shapes in both networks that share "
                                 "them, 'n' and 'n'")


def test_a_layer_with_data_of_its_own_runs_without_inputs(network):
    spec = parse_prototxt('layer { name: "d" type: "DummyData" top: "d" dummy_data_param { shape { dim: 3 } '
                          "data_filler { value: 4 } } }")
    net = Net(spec, batch=7)
    assert (net.inputs, net.outputs, net.shapes["d"].dims) == ((), ("d",), (3,))
    assert net()["d"].tolist() == [4, 4, 4]


def test_double_precision(rng):
    spec = parse_prototxt('''
        layer { name: "x" type: "DummyData" top: "x"
                dummy_data_param { shape { dim: 2 dim: 3 } data_filler { value: 0.1 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 4 } }''')
    weight, bias = rng.standard_normal((4, 3)), rng.standard_normal(4)
    net = Net(spec, seed=0, dtype=torch.float64)
    net.copy_from({"ip": (weight, bias)})
    value = net()["y"]
    assert value.dtype == torch.float64
    np.testing.assert_allclose(value.detach().numpy(), np.full((2, 3), np.float32(0.1), np.float64) @ weight.T + bias,
                               rtol=1e-14)
    np.testing.assert_array_equal(net.weights()["ip"][0], weight)


def test_a_blob_shared_by_name_is_shared_with_another_network_too():
    begin = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 } } }'
    layer = ('layer {{ name: "{0}" type: "InnerProduct" bottom: "x" top: "{0}" param {{ name: "w" }} '
             "inner_product_param {{ num_output: 2 bias_term: false }} }}")
    trained = Net(parse_prototxt(begin + layer.format("a")), seed=0)
    test = Net(parse_prototxt(begin + layer.format("a") + layer.format("b")), seed=1)
    test.share_blobs_of(trained)
    for name in ("a", "b"):
        assert test.stage(name).layer.blobs[0] is trained.stage("a").layer.blobs[0]
