"""From a network file to a run: what the passes change shows in the cut and nowhere in the results."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cortado.device.device import DeviceOptions
from cortado.device.golden import GoldenDevice
from cortado.errors import WeightsError
from cortado.executor.executor import Executor
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.caffemodel import write_caffemodel
from cortado.frontends.model import load_model
from cortado.net.net import Net
from cortado.net.weights import seeded_weights
from cortado.planner.calibration import Calibration

# A residual block with batch normalisation, a convolution of two groups, a Concat of both.
NETWORK = """
name: "mixed" input: "data" input_shape { dim: 1 dim: 8 dim: 12 dim: 12 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 16 kernel_size: 3 pad: 1 bias_term: false } }
layer { name: "norm" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "grouped" type: "Convolution" bottom: "conv" top: "grouped"
        convolution_param { num_output: 16 kernel_size: 3 pad: 1 group: 2 } }
layer { name: "grouped_relu" type: "ReLU" bottom: "grouped" top: "grouped" }
layer { name: "sum" type: "Eltwise" bottom: "conv" bottom: "grouped" top: "sum" }
layer { name: "join" type: "Concat" bottom: "sum" bottom: "grouped" top: "join" }
layer { name: "last" type: "Convolution" bottom: "join" top: "last"
        convolution_param { num_output: 4 kernel_size: 3 } }
"""


@pytest.fixture
def model(tmp_path, rng):
    """The network with weights beside it, statistics and factors drawn."""
    path = tmp_path / "mixed.prototxt"
    path.write_text(NETWORK)
    spec = load_model(path).spec
    weights = seeded_weights(spec, 1)
    weights["norm"] = (rng.standard_normal(16).astype(np.float32), rng.uniform(1, 9, 16).astype(np.float32),
                       np.array([2], np.float32))
    weights["scale"] = (rng.uniform(0.5, 2, 16).astype(np.float32), rng.standard_normal(16).astype(np.float32))
    write_caffemodel(path.with_suffix(".caffemodel"), "mixed",
                     {name: (spec.layer(name).type, blobs) for name, blobs in weights.items()})
    return load_model(path)


@pytest.fixture
def pictures(rng):
    return rng.standard_normal((2, 8, 12, 12)).astype(np.float32)


def test_the_network_of_the_file_and_the_prepared_one_are_equal(model, pictures):
    pipeline = MixedPipeline(model, batch=2)
    with torch.no_grad():
        expected = Net(model.spec, model.weights)({"data": torch.from_numpy(pictures)})["last"].numpy()
    np.testing.assert_allclose(pipeline.reference(pictures), expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_every_convolution_is_on_the_fpga_and_the_results_are_close(model, pictures):
    pipeline = MixedPipeline(model, batch=2)
    assert pipeline.cut.fpga_layers == ("conv", "grouped", "last")
    plan = pipeline.plan(pictures, Calibration())
    # Both parts of the Concat have one scale.
    assert len({plan.scales[blob] for blob in ("grouped", "sum", "join")}) == 1
    with GoldenDevice(DeviceOptions()) as device:
        run = Executor(plan, pipeline.net, device).run({"data": pictures}, compare=True)
    assert (run.equal_layers, run.compared_layers) == (3, 3)
    reference = pipeline.reference(pictures)
    error = np.abs(run.values["last"] - reference).max() / np.abs(reference).max()
    # Three layers of int8, each good to about a hundredth.
    assert error < 0.05


def test_weights_of_another_network(model):
    others = {**model.weights, "scale": (np.ones(4, np.float32), np.ones(4, np.float32))}
    with pytest.raises(WeightsError) as caught:
        MixedPipeline(type(model)(**{**vars(model), "weights": others}))
    assert str(caught.value) == "layer 'scale': blob 0 must have shape 16, not 4"
