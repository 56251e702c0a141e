"""Nets written in Python: what comes out is read by the reader of files."""

from __future__ import annotations

import pytest

from cortado.frontends.prototxt import parse_prototxt
from cortado.layers.pooling import PoolMethod
from cortado.net.shape_inference import infer_shapes
from cortado.pycaffe import TRAIN, NetSpec, to_proto
from cortado.pycaffe import layers as L
from cortado.pycaffe import params as P


def lenet(batch):
    """As in Caffe's notebook 01-learning-lenet, with the data from a dummy."""
    n = NetSpec()
    n.data, n.label = L.DummyData(shape=[dict(dim=[batch, 1, 28, 28]), dict(dim=[batch])], ntop=2,
                                  include=dict(phase=TRAIN))
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, weight_filler=dict(type="xavier"),
                            param=[dict(lr_mult=1), dict(lr_mult=2, decay_mult=0)])
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.fc1 = L.InnerProduct(n.pool1, num_output=500)
    n.relu1 = L.ReLU(n.fc1, in_place=True)
    n.score = L.InnerProduct(n.relu1, num_output=10)
    n.loss = L.SoftmaxWithLoss(n.score, n.label, loss_param=dict(ignore_label=255, normalization=P.Loss.FULL))
    return n.to_proto()


def test_it_is_the_network_it_says():
    net = parse_prototxt(lenet(4), phase="TRAIN")
    assert [(layer.name, layer.type, layer.bottoms, layer.tops) for layer in net.layers] == [
        ("data", "DummyData", (), ("data", "label")),
        ("conv1", "Convolution", ("data",), ("conv1",)),
        ("pool1", "Pooling", ("conv1",), ("pool1",)),
        ("fc1", "InnerProduct", ("pool1",), ("fc1",)),
        ("relu1", "ReLU", ("fc1",), ("fc1",)),
        ("score", "InnerProduct", ("fc1",), ("score",)),
        ("loss", "SoftmaxWithLoss", ("score", "label"), ("loss",))]
    assert net.layer("pool1").parameters.pool is PoolMethod.MAX
    assert net.layer("conv1").blob_settings[1].lr_mult == 2
    assert net.layer("loss").parameters.ignore_label == 255
    assert str(infer_shapes(net)["score"]) == "4x10"


def test_text():
    n = NetSpec()
    n.a = L.DummyData(shape=dict(dim=[1, 2]))
    n.b = L.Dropout(n.a, dropout_ratio=0.25, propagate_down=False)
    n["c"] = L.Python(n["b"], module="m", layer="C", param_str='{"k": "v"}')
    assert n.to_proto() == """\
layer {
  name: "a"
  type: "DummyData"
  top: "a"
  dummy_data_param {
    shape {
      dim: 1
      dim: 2
    }
  }
}
layer {
  name: "b"
  type: "Dropout"
  bottom: "a"
  top: "b"
  dropout_param {
    dropout_ratio: 0.25
  }
  propagate_down: false
}
layer {
  name: "c"
  type: "Python"
  bottom: "b"
  top: "c"
  python_param {
    module: "m"
    layer: "C"
    param_str: "{\\"k\\": \\"v\\"}"
  }
}
"""


def test_names_are_made_up_by_type():
    a = L.DummyData(shape=dict(dim=[1, 2]))
    text = to_proto(L.ReLU(L.Power(L.Power(a, scale=2), scale=3)))
    assert [layer.name for layer in parse_prototxt(text).layers] == ["DummyData1", "Power1", "Power2", "ReLU1"]
    assert L.Power(a).to_proto() == to_proto(L.Power(a))


def test_a_layer_without_tops():
    n = NetSpec()
    n.a = L.DummyData(shape=dict(dim=[1]))
    n.quiet = L.Silence(n.a, ntop=0)
    assert [(layer.name, layer.tops) for layer in parse_prototxt(n.to_proto()).layers] == [("a", ("a",)), ("quiet", ())]


def test_a_shared_bottom_is_written_once():
    n = NetSpec()
    n.a = L.DummyData(shape=dict(dim=[1, 2]))
    n.b = L.Eltwise(n.a, L.Power(n.a), operation=P.Eltwise.SUM)
    assert [layer.name for layer in parse_prototxt(n.to_proto()).layers] == ["a", "Power1", "b"]


def test_mistakes():
    a = L.DummyData(shape=dict(dim=[1]))
    with pytest.raises(AttributeError, match=r"^unknown layer type 'Convolutionn'; did you mean 'Convolution'"):
        L.Convolutionn(a)
    with pytest.raises(TypeError, match=r"^layer type ReLU has no parameter 'slope' \(it has: engine, negative_slope"):
        to_proto(L.ReLU(a, slope=1))
    with pytest.raises(TypeError, match=r"^field 'scale' must be a number, a string, .+, not object$"):
        to_proto(L.Power(a, scale=object()))
    with pytest.raises(AttributeError, match=r"^Pooling has no constant 'MIN'$"):
        _ = P.Pooling.MIN
    with pytest.raises(AttributeError, match=r"^no layer's parameters are called 'Poling'$"):
        _ = P.Poling
    with pytest.raises(AttributeError, match=r"^no blob 'b' was assigned to this NetSpec$"):
        _ = NetSpec().b
