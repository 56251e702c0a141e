"""Layers in Python, from files of a user."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from cortado.errors import LayerError
from cortado.frontends.prototxt import read_prototxt
from cortado.net.net import Net

# A layer in the way of `examples/pycaffe/layers/pyloss.py` of BVLC/caffe: blobs, counts, a scalar loss, both gradients.
DISTANCE = '''
import caffe
import numpy as np


class Distance(caffe.Layer):
    """Half the mean squared distance."""

    def setup(self, bottom, top):
        if len(bottom) != 2:
            raise Exception("Need two inputs to compute distance.")
        self.setups = getattr(self, "setups", 0) + 1
        assert self.setups == 1

    def reshape(self, bottom, top):
        if bottom[0].count != bottom[1].count:
            raise Exception("Inputs must have the same dimension.")
        self.difference = np.zeros_like(bottom[0].data, dtype=np.float64)
        top[0].reshape(1)

    def forward(self, bottom, top):
        self.difference[...] = bottom[0].data - bottom[1].data
        top[0].data[...] = np.sum(self.difference ** 2) / bottom[0].num / 2.

    def backward(self, top, propagate_down, bottom):
        for i, sign in enumerate((1, -1)):
            if propagate_down[i]:
                bottom[i].diff[...] = sign * self.difference / bottom[i].num * top[0].diff
'''

# Parameters, trained blobs, the phase, a top for each bottom.
SCALED = """
import json
import caffe


class Scaled(caffe.Layer):
    def setup(self, bottom, top):
        self.factor = json.loads(self.param_str)["factor"]
        self.blobs.add_blob(bottom[0].channels)
        self.blobs[0].data[...] = 3
        self.in_training = self.phase == caffe.TRAIN

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)
        top[1].reshape(1, 1)

    def forward(self, bottom, top):
        top[0].data[...] = self.factor * self.blobs[0].data * bottom[0].data
        top[1].data[...] = self.in_training

    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[...] += self.factor * (top[0].diff * bottom[0].data).sum(0)
        if propagate_down[0]:
            bottom[0].diff[...] = self.factor * self.blobs[0].data * top[0].diff
"""

INPUTS = """
input: "a" input_shape { dim: 4 dim: 3 } input: "b" input_shape { dim: 4 dim: 3 }
"""


@pytest.fixture
def network(tmp_path):
    """Reads a network beside a file `user.py` of the given text."""

    def read(code, *layers, phase="TRAIN"):
        (tmp_path / "user.py").write_text(code)
        (tmp_path / "net.prototxt").write_text(INPUTS + "".join(f"layer {{ {layer} }}\n" for layer in layers))
        return read_prototxt(tmp_path / "net.prototxt", phase=phase)

    yield read
    sys.modules.pop("user", None)


LOSS = ('name: "loss" type: "Python" bottom: "a" bottom: "b" top: "loss" loss_weight: 1 '
        'python_param { module: "user" layer: "Distance" }')
SCALE = ('name: "scaled" type: "Python" bottom: "a" top: "y" top: "phase" '
         "python_param { module: 'user' layer: 'Scaled' param_str: '{\"factor\": 2}' }")


def test_forward_and_backward(network, rng):
    net = Net(network(DISTANCE, LOSS), seed=0)
    a, b = (torch.from_numpy(rng.standard_normal((4, 3)).astype(np.float32)).requires_grad_() for _ in range(2))
    values = net({"a": a, "b": b})
    np.testing.assert_allclose(values["loss"].detach(), [float((a - b).square().sum().detach() / 8)], rtol=1e-6)
    net.loss(values).backward()
    np.testing.assert_allclose(a.grad, (a - b).detach() / 4, rtol=1e-6)
    np.testing.assert_allclose(b.grad, (b - a).detach() / 4, rtol=1e-6)


def test_gradient(network, rng):
    layer = Net(network(DISTANCE, LOSS), seed=0).stage("loss").layer
    values = [torch.from_numpy(rng.standard_normal((4, 3))).requires_grad_() for _ in range(2)]
    assert torch.autograd.gradcheck(layer, values)


def test_reshape_is_asked_again_for_another_batch(network, rng):
    net = Net(network(DISTANCE, LOSS), seed=0)
    a, b = torch.ones(2, 3), torch.zeros(2, 3)
    assert net({"a": a, "b": b})["loss"].tolist() == [1.5]


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_trained_blobs_param_str_and_phase(network, rng, phase):
    net = Net(network(SCALED, SCALE, phase=phase), seed=0, fillers=True)
    np.testing.assert_array_equal(net.weights()["scaled"][0], [3, 3, 3])
    x = torch.from_numpy(rng.standard_normal((4, 3)).astype(np.float32)).requires_grad_()
    values = net({"a": x, "b": x})
    np.testing.assert_allclose(values["y"].detach(), 6 * x.detach(), rtol=1e-6)
    assert values["phase"].tolist() == [[float(phase == "TRAIN")]]
    values["y"].sum().backward()
    np.testing.assert_allclose(net.stage("scaled").layer.blobs[0].grad, 2 * x.detach().sum(0), rtol=1e-5)
    np.testing.assert_allclose(x.grad, np.full((4, 3), 6), rtol=1e-6)


def test_gradient_of_trained_blobs(network, rng):
    layer = Net(network(SCALED, SCALE), seed=0).stage("scaled").layer.double()
    x = torch.from_numpy(rng.standard_normal((4, 3))).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, blob: layer(x)[0], (x, layer.blobs[0]))


def test_two_networks_have_layers_of_their_own(network):
    spec = network(SCALED, SCALE)
    one, two = Net(spec, seed=0), Net(spec, seed=0)
    assert one.stage("scaled").layer._prepared.layer is not two.stage("scaled").layer._prepared.layer


def test_the_shim_is_gone_afterwards(network):
    Net(network(DISTANCE, LOSS), seed=0)
    assert "caffe" not in sys.modules


SETUP = "setup(self, bottom, top):"


@pytest.mark.parametrize(("code", "layer", "message"), [
    (DISTANCE.replace(SETUP, SETUP + "\n        raise ValueError('no')"), LOSS,
     "setup of Distance in module 'user' must not fail with ValueError: no (user.py:10)"),
    (DISTANCE.replace("import caffe", "import caffee"), LOSS,
     ("import of Distance in module 'user' must not fail with ModuleNotFoundError: No module named 'caffee' "
      "(user.py:2)")),
    (DISTANCE.replace("Distance(caffe.Layer)", "Distance(object)"), LOSS,
     "module 'user' (FOLDER/user.py) must have a class 'Distance' that derives from caffe.Layer"),
    (DISTANCE, LOSS.replace("Distance", "Distances"),
     "module 'user' (FOLDER/user.py) must have a class 'Distances' that derives from caffe.Layer"),
    (DISTANCE, LOSS.replace('bottom: "b" ', ""),
     ("setup of Distance in module 'user' must not fail with Exception: Need two inputs to compute distance. "
      "(user.py:11)")),
])
def test_what_goes_wrong_in_a_users_file(network, tmp_path, code, layer, message):
    with pytest.raises(LayerError) as caught:
        Net(network(code, layer), seed=0)
    assert str(caught.value) == (f"{tmp_path}/net.prototxt:3:7: layer 'loss': "
                                 f"{message.replace('FOLDER', str(tmp_path))}")


def test_what_goes_wrong_while_it_runs(network, tmp_path):
    net = Net(network(DISTANCE, LOSS), seed=0)
    net.stage("loss").layer._prepared.layer.forward = lambda bottom, top: [][1]
    with pytest.raises(LayerError, match=r"forward of Distance in module 'user' must not fail with IndexError: list "):
        net({"a": torch.ones(4, 3), "b": torch.zeros(4, 3)})
