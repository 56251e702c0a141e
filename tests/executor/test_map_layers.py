"""Pooling and addition on the FPGA when asked: through planner, executor and ladder."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from cortado.device.device import Device, DeviceOptions, device_types
from cortado.errors import PlanError
from cortado.executor.bundle import write_bundle
from cortado.executor.executor import Executor
from cortado.executor.ladder import climb
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.numerics.elementwise_add import IntegerAdd
from cortado.numerics.pooling import IntegerPooling, PoolingKind
from cortado.planner.calibration import Calibration
from cortado.planner.plan import Plan

NETWORK = """
name: "small" input: "data" input_shape { dim: 1 dim: 2 dim: 9 dim: 7 }
layer { name: "a" type: "Convolution" bottom: "data" top: "a"
        convolution_param { num_output: 4 kernel_size: 3 pad: 1 bias_filler { type: "constant" value: 0.2 } } }
layer { name: "relu" type: "ReLU" bottom: "a" top: "a" relu_param { negative_slope: 0.1 } }
layer { name: "max" type: "Pooling" bottom: "a" top: "max" pooling_param { kernel_size: 3 stride: 2 } }
layer { name: "b" type: "Convolution" bottom: "max" top: "b" convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "max" bottom: "b" top: "sum" eltwise_param { coeff: 1 coeff: -0.5 } }
layer { name: "mean" type: "Pooling" bottom: "sum" top: "mean"
        pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
layer { name: "score" type: "InnerProduct" bottom: "mean" top: "score" inner_product_param { num_output: 5 } }
"""
FIELDS = {"m": 2, "beat_bits": 64, "largest_taps": 216, "tiles": 12, "buffer_words": 48, "block_columns": 8,
          "pc": 2, "pk": 2, "leaky": 1, "pooling": 2, "elementwise_add": 1, "pooling_row_beats": 6}
LAYERS = ("a", "max", "b", "sum", "mean")
OPTIONS = DeviceOptions(memory_bytes=2**20)


@pytest.fixture
def pipeline(tmp_path: Path) -> MixedPipeline:
    path = tmp_path / "small.prototxt"
    path.write_text(NETWORK)
    return MixedPipeline(load_model(path), fields=FIELDS, batch=3, seed=1, fpga=("max", "sum", "mean"))


@pytest.fixture
def pictures(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((3, 2, 9, 7)).astype(np.float32)


@pytest.fixture
def plan(pipeline: MixedPipeline, pictures: np.ndarray) -> Plan:
    return pipeline.plan(pictures, Calibration(percentile=100))


def check_device(device: Device, plan: Plan, pipeline: MixedPipeline, pictures: np.ndarray) -> None:
    """Every layer is golden's to the bit, and as near to the float network as rounding explains."""
    with device:
        run = Executor(plan, pipeline.net, device).run({"data": pictures}, compare=True)
        rungs = climb(plan, pipeline.net, device, {"data": pictures}, layers=LAYERS)
    assert [layer.placement.layer for layer in run.layers if layer.equal_to_golden] == list(LAYERS)
    assert [rung.layer for rung in rungs if rung.equal] == [layer for layer in LAYERS for _ in range(2)]


def test_what_the_plan_holds(plan):
    assert plan.cut.fpga_layers == LAYERS
    assert list(plan.convolutions) == list(plan.formats) == ["a", "b"]
    scales = plan.scales
    assert scales["a"] == scales["max"], "a maximum keeps its scale"
    operations = plan.map_operations
    assert operations["max"] == IntegerPooling(kind=PoolingKind.MAX, kernel=(3, 3), stride=(2, 2))
    assert operations["mean"] == IntegerPooling(kind=PoolingKind.AVERAGE, kernel=(3, 3), stride=(2, 2), pad=(1, 1),
                                                factor=scales["sum"] / scales["mean"])
    factors = scales["max"] / scales["sum"], -0.5 * scales["b"] / scales["sum"]
    assert operations["sum"] == IntegerAdd.from_scale(factors)


def test_golden_equals_the_float_network_within_rounding(plan, pipeline, pictures):
    check_device(device_types["golden"](OPTIONS), plan, pipeline, pictures)


@pytest.mark.rtlsim
def test_rtl_equals_golden(simulator_tools, plan, pipeline, pictures):
    check_device(device_types["rtlsim"](OPTIONS), plan, pipeline, pictures)


def test_the_ladder_finds_a_wrong_number(plan, pipeline, pictures):
    """A factor that is off by a little, and a window that is one too small."""
    wrong = {**plan.map_operations, "mean": dataclasses.replace(plan.map_operations["mean"], factor=0.98),
             "max": dataclasses.replace(plan.map_operations["max"], kernel=(3, 2), round_up=False)}
    assert wrong["max"].output_size((9, 7)) == plan.map_operations["max"].output_size((9, 7))
    with device_types["golden"](OPTIONS) as device:
        rungs = climb(dataclasses.replace(plan, map_operations=wrong), pipeline.net, device, {"data": pictures},
                      layers=("max", "sum", "mean"))
    assert [(rung.layer, rung.upper) for rung in rungs if not rung.equal] == [("max", "golden"), ("mean", "golden")]


def test_a_bundle_of_map_jobs_is_refused(plan, pipeline, tmp_path):
    message = (r"^layer 'max': jobs of convolutions and inner products can be written, not of Pooling; keep the layer "
               r"on the host \(--host max\)$")
    with pytest.raises(PlanError, match=message):
        write_bundle(plan, pipeline.shapes, tmp_path / "bundle", clock_mhz=100)
