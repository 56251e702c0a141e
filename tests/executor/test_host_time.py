import re

import pytest
import torch

from cortado.errors import MismatchError
from cortado.executor import host_time
from cortado.executor.host_time import PassTime, time_on_host
from cortado.frontends.model import load_model
from cortado.frontends.prototxt import parse_prototxt
from cortado.net.net import Net
from cortado.net.plain import PlainNet


def digits() -> Net:
    model = load_model("digits")
    return Net(model.spec, model.weights)


def test_every_layer_and_both_networks_are_timed():
    net = digits()
    result = time_on_host(net, repeats=3, seed=0)
    assert (result.batch, result.repeats, result.threads) == (1, 3, torch.get_num_threads())
    layers = [layer.name for layer in net.spec.layers if layer.bottoms]
    assert (list(result.layer_forward), list(result.layer_backward), result.not_compared) == (layers, layers, None)
    assert min(result.forward.cortado, result.forward.plain, result.both.cortado, result.both.plain,
               *result.layer_forward.values(), *result.layer_backward.values()) > 0


def test_ratio():
    assert PassTime(cortado=3.0, plain=2.0).ratio == 1.5
    assert PassTime(cortado=3.0, plain=None).ratio is None


def test_a_network_torch_has_no_modules_for():
    spec = parse_prototxt("""
        layer { name: "d" type: "DummyData" top: "d" dummy_data_param { shape { dim: 2 dim: 3 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "d" top: "ip" inner_product_param { num_output: 2 } }""")
    result = time_on_host(Net(spec, seed=0), repeats=1, seed=0)
    assert (result.batch, result.forward.plain, list(result.layer_backward)) == (2, None, ["ip"])
    assert result.not_compared.startswith("layer 'd': DummyData has no plain torch module to be timed against")


def test_networks_that_differ_are_not_timed(monkeypatch):
    class Wrong(PlainNet):
        def forward(self, inputs):
            values = super().forward(inputs)
            values["prob"] = values["prob"] + 0.5
            return values

    monkeypatch.setattr(host_time, "PlainNet", Wrong)
    net = digits()
    with pytest.raises(MismatchError, match=f"^{re.escape(MESSAGE)}$"):
        time_on_host(net, repeats=1, seed=0)


MESSAGE = "blob 'prob': cortado and plain torch must compute the same, they differ by 0.5"
