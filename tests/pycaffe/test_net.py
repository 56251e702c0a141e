"""Nets as pycaffe has them, against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

import cortado.pycaffe as caffe
from cortado.errors import GraphError

NETWORK = """
name: "n"
input: "data" input_shape { dim: 2 dim: 3 dim: 6 dim: 6 }
input: "label" input_shape { dim: 2 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } bias_filler { value: 0.1 } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { global_pooling: true pool: AVE } }
layer { name: "sum" type: "Eltwise" bottom: "pool" bottom: "pool" top: "sum" }
layer { name: "ip" type: "InnerProduct" bottom: "sum" top: "ip"
        inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" loss_weight: 2 }
"""


@pytest.fixture
def net(tmp_path):
    caffe.set_random_seed(1)
    (tmp_path / "net.prototxt").write_text(NETWORK)
    return caffe.Net(str(tmp_path / "net.prototxt"), caffe.TRAIN)


@pytest.fixture
def batch(rng):
    return {"data": rng.standard_normal((2, 3, 6, 6)).astype(np.float32), "label": np.array([4.0, 1.0])}


def reference(net, batch):
    """The same in torch: values and gradients by name."""
    weights = {name: [torch.tensor(blob.data, requires_grad=True) for blob in blobs]
               for name, blobs in net.params.items()}
    data = torch.tensor(batch["data"], requires_grad=True)
    conv = functional.relu(functional.conv2d(data, *weights["conv"]))
    conv.retain_grad()
    pooled = conv.mean((2, 3), keepdim=True)
    pooled.retain_grad()
    ip = functional.linear((2 * pooled).flatten(1), *weights["ip"])
    loss = functional.cross_entropy(ip, torch.tensor(batch["label"]).long())
    (2 * loss).backward()
    return {"data": data, "conv": conv, "pool": pooled, "ip": ip, "loss": loss}, weights


def test_what_it_is_made_of(net):
    assert list(net.blobs) == ["data", "label", "conv", "pool", "sum", "ip", "loss"]
    assert {name: [blob.shape for blob in blobs] for name, blobs in net.params.items()} == {
        "conv": [(4, 3, 3, 3), (4,)], "ip": [(5, 4), (5,)]}
    assert (net.inputs, net.outputs) == (["data", "label"], ["loss"])
    assert net._layer_names == ["input", "conv", "relu", "pool", "sum", "ip", "loss"]
    assert net.layer_dict["pool"].type == "Pooling"
    assert [layer.type for layer in net.layers][1:3] == ["Convolution", "ReLU"]
    assert (net.bottom_names["loss"], net.top_names["relu"]) == (["ip", "label"], ["conv"])
    assert net.blob_loss_weights["loss"] == 2
    assert (net.blobs["data"].num, net.blobs["data"].channels, net.blobs["data"].height, net.blobs["data"].width,
            net.blobs["data"].count) == (2, 3, 6, 6, 216)
    np.testing.assert_allclose(net.params["conv"][1].data, [0.1] * 4)


def test_forward_and_backward_equal_torch(net, batch):
    values, weights = reference(net, batch)
    conv = net.blobs["conv"].data
    outputs = net.forward(blobs=["pool"], **batch)
    assert sorted(outputs) == ["loss", "pool"]
    for name, value in values.items():
        np.testing.assert_allclose(net.blobs[name].data, value.detach(), rtol=1e-5, atol=1e-6)
    # What one holds of a blob goes on being its memory.
    assert conv is net.blobs["conv"].data
    gradients = net.backward(diffs=["pool"])
    assert sorted(gradients) == ["data", "label", "pool"]
    np.testing.assert_allclose(gradients["data"], values["data"].grad, rtol=1e-4, atol=1e-6)
    # Two layers' gradients added up.
    np.testing.assert_allclose(net.blobs["pool"].diff, values["pool"].grad, rtol=1e-4, atol=1e-6)
    for name, blobs in net.params.items():
        for blob, weight in zip(blobs, weights[name], strict=True):
            np.testing.assert_allclose(blob.diff, weight.grad, rtol=1e-4, atol=1e-6)
    # Diffs of trained blobs add up until they are cleared.
    net.backward()
    np.testing.assert_allclose(net.params["ip"][0].diff, 2 * weights["ip"][0].grad, rtol=1e-4, atol=1e-6)
    net.clear_param_diffs()
    assert not net.params["ip"][0].diff.any()


def test_in_parts(net, batch, rng):
    whole = net.forward(**batch)["loss"].copy()
    assert list(net.forward(end="pool", **batch)) == ["pool"]
    np.testing.assert_array_equal(net.forward(start="sum")["loss"], whole)
    # A blob changed between two parts changes what comes behind.
    net.blobs["pool"].data[...] = 0
    net.forward(start="sum")
    np.testing.assert_allclose(net.blobs["ip"].data, np.tile(net.params["ip"][1].data, (2, 1)))
    # Backward from a diff of one's own.
    net.forward(**batch)
    net.clear_param_diffs()
    diff = rng.standard_normal((2, 5)).astype(np.float32)
    net.blobs["ip"].diff[...] = diff
    assert list(net.backward(start="ip", end="ip")) == ["sum"]
    np.testing.assert_allclose(net.blobs["sum"].diff.reshape(2, 4), diff @ net.params["ip"][0].data, rtol=1e-5)
    np.testing.assert_allclose(net.params["ip"][1].diff, diff.sum(0), rtol=1e-5)
    assert not net.params["conv"][0].diff.any()


def test_surgery_on_trained_blobs(net, batch):
    net.params["ip"][0].data[...] = 0
    net.params["ip"][1].data[...] = [0, 0, 0, 0, 9]
    net.forward(**batch)
    np.testing.assert_array_equal(net.blobs["ip"].data, [[0, 0, 0, 0, 9]] * 2)


def test_another_shape(net, rng):
    weight = net.params["conv"][0].data.copy()
    net.blobs["data"].reshape(3, 3, 9, 7)
    net.blobs["label"].reshape(3)
    net.reshape()
    assert (net.blobs["conv"].shape, net.blobs["ip"].shape) == ((3, 4, 7, 5), (3, 5))
    np.testing.assert_array_equal(net.params["conv"][0].data, weight)
    net.blobs["data"].data[...] = rng.standard_normal((3, 3, 9, 7))
    assert net.forward()["loss"].shape == ()
    # Without asking for it, as Caffe reshapes before each forward.
    net.blobs["data"].reshape(1, 3, 6, 6)
    net.blobs["label"].reshape(1)
    net.forward()
    assert net.blobs["ip"].shape == (1, 5)


def test_a_shape_the_trained_blobs_do_not_have(net):
    net.blobs["data"].reshape(2, 4, 6, 6)
    with pytest.raises(GraphError, match=r"^network 'n': its trained blobs must keep their shapes: layer 'conv': "):
        net.reshape()


def test_saved_and_read_again(net, batch, tmp_path):
    expected = net.forward(**batch)["loss"]
    net.save(str(tmp_path / "w.caffemodel"))
    for other in (caffe.Net(str(tmp_path / "net.prototxt"), caffe.TRAIN, weights=str(tmp_path / "w.caffemodel")),
                  caffe.Net(str(tmp_path / "net.prototxt"), str(tmp_path / "w.caffemodel"), caffe.TRAIN)):
        np.testing.assert_array_equal(other.forward(**batch)["loss"], expected)
    net.save_hdf5(str(tmp_path / "w.caffemodel.h5"))
    blank = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TRAIN)
    blank.load_hdf5(str(tmp_path / "w.caffemodel.h5"))
    np.testing.assert_array_equal(blank.forward(**batch)["loss"], expected)
    blank.share_with(net)
    blank.params["ip"][1].data[...] = 7
    assert (net.params["ip"][1].data == 7).all()


def test_all_of_many_pictures(tmp_path, rng):
    inputs, _, rest = NETWORK.partition('input: "label" input_shape { dim: 2 }')
    (tmp_path / "net.prototxt").write_text(inputs + rest[:rest.index('layer { name: "loss"')])
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    pictures = rng.standard_normal((5, 3, 6, 6)).astype(np.float32)
    every = net.forward_all(data=pictures, blobs=["pool"])
    assert (every["ip"].shape, every["pool"].shape) == ((5, 5), (5, 4, 1, 1))
    for index in (0, 4):
        single = net.forward(data=np.stack([pictures[index]] * 2))["ip"][0]
        np.testing.assert_allclose(every["ip"][index], single, rtol=1e-6)


def test_memory_data(tmp_path, rng):
    (tmp_path / "net.prototxt").write_text("""
        layer { name: "d" type: "MemoryData" top: "data" top: "label"
                memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 } }
        layer { name: "p" type: "Power" bottom: "data" top: "p" power_param { scale: 2 } }""")
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    pictures = rng.standard_normal((4, 3, 4, 5)).astype(np.float32)
    net.set_input_arrays(pictures, np.arange(4, dtype=np.float32))
    for begin in (0, 2):
        outputs = net.forward()
        np.testing.assert_allclose(outputs["p"], 2 * pictures[begin:begin + 2])
        np.testing.assert_array_equal(outputs["label"], [begin, begin + 1])


def test_wrong_arguments(net, tmp_path, batch):
    with pytest.raises(TypeError, match=r"^Net takes a network file, a phase "):
        caffe.Net(str(tmp_path / "net.prototxt"))
    with pytest.raises(GraphError) as caught:
        net.forward(data=batch["data"])
    assert str(caught.value) == "network 'n': arrays must be given for data, label, not for data"
    with pytest.raises(GraphError, match=r"must be of type MemoryData to be given arrays, not Input$"):
        net.set_input_arrays(batch["data"], batch["label"])
    with pytest.raises(RuntimeError, match=r"^cortado computes on the CPU"):
        caffe.set_mode_gpu()
    caffe.set_mode_cpu()
