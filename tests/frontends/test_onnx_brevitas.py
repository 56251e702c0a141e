"""Networks that Brevitas quantised and exported as QONNX, against what Brevitas computes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.frontends.onnx.reader import read_onnx
from cortado.net.net import Net

with warnings.catch_warnings():
    # Of its own imports.
    warnings.simplefilter("ignore")
    import brevitas.nn as qnn
    from brevitas.export import export_qonnx
    from brevitas.quant import Uint8ActPerTensorFloat


class Quantised(nn.Module):
    """Weights of 4 and 8 bits, activations of 8, 4 and 3, a pooling of quantised values, scales by the channel."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            qnn.QuantIdentity(bit_width=8, return_quant_tensor=True),
            qnn.QuantConv2d(3, 8, 3, padding=1, weight_bit_width=4, weight_scaling_per_output_channel=True),
            qnn.QuantReLU(bit_width=4, return_quant_tensor=True),
            nn.MaxPool2d(2),
            qnn.QuantConv2d(8, 6, 3, weight_bit_width=8, weight_narrow_range=False, bias=False),
            qnn.QuantReLU(act_quant=Uint8ActPerTensorFloat, bit_width=3),
            nn.Flatten(),
            qnn.QuantLinear(6 * 2 * 2, 5, weight_bit_width=4, bias=True))

    def forward(self, x):
        return self.layers(x)


@pytest.fixture(scope="module", params=[True, False], ids=["torch.export", "TorchScript"])
def exported(request, tmp_path_factory):
    """A network whose ranges are of some batches, an input, and the file each exporter of torch makes of it."""
    torch.manual_seed(1)
    module = Quantised().train()
    for _ in range(3):
        module(torch.randn(4, 3, 8, 8))
    module.eval()
    x, path = torch.randn(1, 3, 8, 8), tmp_path_factory.mktemp("brevitas") / "net.onnx"
    with warnings.catch_warnings():
        # Its exporters are full of what will change one day.
        warnings.simplefilter("ignore")
        export_qonnx(module, args=x, export_path=str(path), opset_version=18, dynamo=request.param)
    return module, x, path


def test_computes_what_brevitas_does(exported):
    module, x, path = exported
    spec, weights = read_onnx(path)
    assert [layer.type for layer in spec.layers] == [
        "Input", "Quant", "Convolution", "ReLU", "Quant", "Pooling", "Convolution", "ReLU", "Quant", "Flatten",
        "InnerProduct"]
    net = Net(spec, weights)
    for picture in (x, torch.randn(1, 3, 8, 8), 5 * torch.randn(1, 3, 8, 8)):
        with torch.no_grad():
            found, = (net({name: picture for name in net.inputs})[output] for output in net.outputs)
            expected = module(picture)
        # Sums in float32 of another order; a value of the last bits on the edge between two steps would be one off.
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_its_convolutions_go_to_the_fpga(exported):
    pipeline = MixedPipeline(load_model(exported[2]))
    convolutions = [layer.name for layer in pipeline.spec.layers if layer.type == "Convolution"]
    assert list(pipeline.cut.fpga_layers) == convolutions
    assert len(convolutions) == 2
