import re

import pytest
import torch

from cortado.errors import MismatchError
from cortado.executor import host_time
from cortado.executor.host_time import HostTime, time_on_host
from cortado.frontends.model import load_model
from cortado.net.net import Net
from cortado.net.plain import PlainNet


def digits() -> Net:
    model = load_model("digits")
    return Net(model.spec, model.weights)


def test_every_layer_and_both_networks_are_timed():
    net = digits()
    result = time_on_host(net, repeats=3, seed=0)
    assert (result.batch, result.repeats, result.threads) == (1, 3, torch.get_num_threads())
    assert list(result.layer_seconds) == [layer.name for layer in net.spec.layers if layer.bottoms]
    assert min(result.cortado_seconds, result.plain_seconds, *result.layer_seconds.values()) > 0


def test_ratio():
    result = HostTime(batch=1, repeats=1, threads=1, cortado_seconds=3.0, plain_seconds=2.0, layer_seconds={})
    assert result.ratio == 1.5


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
