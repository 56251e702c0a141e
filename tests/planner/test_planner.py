"""From a network to a plan: the cut, the ranges seen and the formats fit together."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.engines.winograd import Winograd
from cortado.errors import WeightsError
from cortado.frontends.prototxt import parse_prototxt
from cortado.net.net import Net
from cortado.net.shape_inference import infer_shapes
from cortado.passes.join_scales import join_scales
from cortado.planner.calibration import Calibration
from cortado.planner.partition import partition
from cortado.planner.plan import Plan
from cortado.planner.planner import make_plan

NETWORK = """
name: "n" input: "data" input_shape { dim: 1 dim: 2 dim: 8 dim: 8 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 3 kernel_size: 3 } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "last" type: "Convolution" bottom: "pool" top: "last" convolution_param { num_output: 2 kernel_size: 3 } }
"""


def plan(pictures: np.ndarray, net: Net | None = None, **options: object) -> Plan:
    spec = join_scales(parse_prototxt(NETWORK))
    cut = partition(spec, infer_shapes(spec), Winograd(), **options)
    return make_plan(cut, net or Net(spec, seed=3), {"data": pictures}, Calibration(percentile=100))


@pytest.fixture
def pictures(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((5, 2, 8, 8)).astype(np.float32)


def test_every_fpga_layer_has_its_format(pictures):
    made = plan(pictures)
    assert [*made.formats] == [*made.convolutions] == ["conv", "last"]
    assert made.scales["data"] == pytest.approx(np.abs(pictures).max() / 127)
    # Maximum pooling passes values on: both sides have the scale of the wider one, which is the blob before it.
    assert made.scales["pool"] == made.scales["conv"]
    for name, bottom, top in (("conv", "data", "conv"), ("last", "pool", "last")):
        assert made.formats[name].input_scale == made.scales[bottom]
        assert made.formats[name].output_scale == made.scales[top]
    assert made.calibration == "largest magnitude over 5 pictures"


def test_host_layers_have_none(pictures):
    made = plan(pictures, host=("conv",))
    assert [*made.formats] == ["last"]


def test_values_that_are_no_numbers(pictures):
    pictures[0, 0, 0, 0] = np.inf
    with pytest.raises(WeightsError) as caught:
        plan(pictures)
    assert str(caught.value) == ("blob 'data': its values must be finite on the calibration pictures, not inf; check "
                                 "the weights and the input's scale")


def test_pictures_of_zeros():
    made = plan(np.zeros((1, 2, 8, 8), np.float32))
    assert made.scales["data"] == 1.0
    assert not made.convolutions["conv"].golden(np.zeros((1, 2, 8, 8), np.int8)).any()


def test_a_placement_by_name(pictures):
    cut = plan(pictures).cut
    assert cut.placement("pool").reason == "Pooling runs on the host"
    with pytest.raises(LookupError) as caught:
        cut.placement("conv9")
    assert str(caught.value) == "network 'n' has no layer 'conv9' (it has: input, conv, pool, last)"
