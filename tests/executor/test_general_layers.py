"""Every kind of convolution the FPGA takes, in one network: kernels, strides, groups, inner products, leaky ReLUs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from jsonschema import Draft202012Validator

from cortado.device.device import DeviceOptions, device_types
from cortado.device.golden import GoldenDevice
from cortado.executor.bundle import write_bundle
from cortado.executor.executor import Executor
from cortado.executor.ladder import climb
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.planner.calibration import Calibration
from cortado.planner.plan import Plan

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "generate.schema.json"

NETWORK = """
name: "general" input: "data" input_shape { dim: 1 dim: 3 dim: 21 dim: 18 }
layer { name: "large" type: "Convolution" bottom: "data" top: "large"
        convolution_param { num_output: 6 kernel_size: 7 stride: 2 pad: 3 } }
layer { name: "leak1" type: "ReLU" bottom: "large" top: "large" relu_param { negative_slope: 0.1 } }
layer { name: "grouped" type: "Convolution" bottom: "large" top: "grouped"
        convolution_param { num_output: 8 kernel_h: 5 kernel_w: 3 pad_h: 2 pad_w: 1 group: 2 } }
layer { name: "relu" type: "ReLU" bottom: "grouped" top: "grouped" }
layer { name: "depthwise" type: "Convolution" bottom: "grouped" top: "depthwise"
        convolution_param { num_output: 8 kernel_size: 3 dilation: 2 pad: 2 group: 8 bias_term: false } }
layer { name: "pointwise" type: "Convolution" bottom: "depthwise" top: "pointwise"
        convolution_param { num_output: 5 kernel_size: 1 } }
layer { name: "ip" type: "InnerProduct" bottom: "pointwise" top: "ip" inner_product_param { num_output: 9 } }
layer { name: "leak2" type: "ReLU" bottom: "ip" top: "ip" relu_param { negative_slope: 0.01 } }
layer { name: "score" type: "InnerProduct" bottom: "ip" top: "score"
        inner_product_param { num_output: 4 transpose: true } }
"""
CONVOLUTIONS = ("large", "grouped", "depthwise", "pointwise")
LAYERS = (*CONVOLUTIONS, "ip", "score")
ENGINE = {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "tiles": 32, "buffer_words": 256, "block_columns": 16, "leaky": 1}
FORMATS = ({}, {"data_bits": 16, "weight_bits": 16}, {"data_bits": 16, "weight_bits": 8})
# How far the mixed network may be from float, of each blob's largest number. Eight bits are good to about a hundredth a
# layer, and sixteen of activations are no better where the weights have eight. With sixteen of both, the slopes in
# 256ths are what errs.
ERRORS = {(8, 8): 0.06, (16, 16): 0.006, (16, 8): 0.06}
OPTIONS = DeviceOptions(memory_bytes=2**22)


@pytest.fixture
def make_pipeline(tmp_path):
    path = tmp_path / "general.prototxt"
    path.write_text(NETWORK)

    def make(**options) -> MixedPipeline:
        return MixedPipeline(load_model(path), **{
            "fields": ENGINE, "batch": 3, "seed": 2, "inner_products": True, **options})

    return make


def with_one_number_off(plan: Plan, layer: str, place: tuple[int, ...]) -> Plan:
    """One weight a sixteenth of the largest from where it must be."""
    old = plan.convolutions[layer]
    weight = old.weight.copy()
    off = np.iinfo(weight.dtype).max // 16
    weight[place] += off if weight[place] < 0 else -off
    return replace(plan, convolutions={**plan.convolutions, layer: replace(old, weight=weight)})


@pytest.fixture
def pipeline(make_pipeline) -> MixedPipeline:
    return make_pipeline()


@pytest.fixture
def pictures(rng) -> np.ndarray:
    return rng.standard_normal((3, 3, 21, 18)).astype(np.float32)


def test_all_of_it_is_on_the_fpga(pipeline, make_pipeline):
    assert pipeline.cut.fpga_layers == LAYERS
    assert make_pipeline(inner_products=False).cut.fpga_layers == CONVOLUTIONS
    assert make_pipeline(batch=1).cut.fpga_layers == CONVOLUTIONS
    assert make_pipeline(batch=1, fpga=("score",)).cut.fpga_layers == (*CONVOLUTIONS, "score")


@pytest.mark.parametrize(("kind", "formats"), [
    *(("golden", formats) for formats in FORMATS), pytest.param("rtlsim", FORMATS[0], marks=pytest.mark.rtlsim),
    # Convolutions of both formats are simulated elsewhere; each engine takes a minute to build.
    *(pytest.param("rtlsim", formats, marks=[pytest.mark.rtlsim, pytest.mark.slow]) for formats in FORMATS[1:])],
    ids=str)
def test_the_mixed_network_is_float_but_for_rounding(request, kind, formats, make_pipeline, pictures):
    if kind == "rtlsim":
        request.getfixturevalue("simulator_tools")
    pipeline = make_pipeline(fields=ENGINE | formats)
    plan = pipeline.plan(pictures, Calibration(percentile=100))
    bits = {(layer_format.input_bits, layer_format.weight_bits) for layer_format in plan.formats.values()}
    assert bits == {(formats.get("data_bits", 8), formats.get("weight_bits", 8))}
    with device_types[kind](OPTIONS) as device:
        run = Executor(plan, pipeline.net, device).run({"data": pictures}, compare=True,
                                                       keep=[pipeline.spec.layer(name).tops[0] for name in LAYERS])
    assert (run.equal_layers, run.compared_layers) == (6, 6)
    with torch.no_grad():
        expected = pipeline.net({"data": torch.from_numpy(pictures)})
    for name in LAYERS:
        blob = pipeline.spec.layer(name).tops[0]
        reference = expected[blob].numpy()
        assert run.values[blob].shape == reference.shape
        assert np.abs(run.values[blob] - reference).max() < ERRORS[min(bits)] * np.abs(reference).max(), name


@pytest.mark.parametrize("kind", ["golden", pytest.param("rtlsim", marks=pytest.mark.rtlsim)])
def test_the_ladder_holds(request, kind, pipeline, pictures):
    if kind == "rtlsim":
        request.getfixturevalue("simulator_tools")
    plan = pipeline.plan(pictures, Calibration())
    with device_types[kind](OPTIONS) as device:
        rungs = climb(plan, pipeline.net, device, {"data": pictures}, layers=plan.cut.fpga_layers)
    assert [(rung.layer, rung.upper) for rung in rungs if not rung.equal] == []
    assert [rung.compared for rung in rungs if rung.layer == "ip"] == [3 * 9, 4 * 9]


@pytest.mark.parametrize("formats", FORMATS, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_no_false_alarm(make_pipeline, seed, formats):
    rng = np.random.default_rng(seed)
    pipeline = make_pipeline(seed=seed, batch=10, fields=ENGINE | formats)
    pictures = (rng.standard_normal((10, 3, 21, 18)) * 10.0 ** rng.integers(-6, 6)).astype(np.float32)
    for percentile in (None, 100, 90):
        plan = pipeline.plan(pictures, Calibration(percentile=percentile))
        with GoldenDevice(OPTIONS) as device:
            rungs = climb(plan, pipeline.net, device, {"data": pictures}, layers=plan.cut.fpga_layers)
        assert [(rung.layer, rung.upper) for rung in rungs if not rung.equal] == []


@pytest.mark.parametrize("formats", FORMATS[:2], ids=str)
@pytest.mark.parametrize(("layer", "place"), [
    ("large", (5, 2, 6, 6)), ("grouped", (7, 2, 4, 2)), ("depthwise", (3, 0, 1, 1)), ("ip", (5, 494, 0, 0)),
    ("score", (3, 8, 0, 0))])
def test_a_single_wrong_weight_is_found(make_pipeline, rng, formats, layer, place):
    pipeline = make_pipeline(fields=ENGINE | formats, batch=40)
    pictures = rng.standard_normal((40, 3, 21, 18)).astype(np.float32)
    plan = with_one_number_off(pipeline.plan(pictures, Calibration(percentile=100)), layer, place)
    with GoldenDevice(OPTIONS) as device:
        rungs = climb(plan, pipeline.net, device, {"data": pictures}, layers=plan.cut.fpga_layers)
    (wrong,) = (rung for rung in rungs if not rung.equal)
    assert (wrong.layer, wrong.upper, wrong.worst[1]) == (layer, "golden", place[0])


def test_a_leaky_layer_keeps_what_is_far_below_zero(tmp_path, rng):
    """Its scale must hold the sums before the ReLU, which cuts the negative ones to a tenth only afterwards."""
    path = tmp_path / "negative.prototxt"
    path.write_text("""
        name: "negative" input: "data" input_shape { dim: 1 dim: 2 dim: 6 dim: 6 }
        layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
                convolution_param { num_output: 2 kernel_size: 3 } }
        layer { name: "leak" type: "ReLU" bottom: "conv" top: "conv" relu_param { negative_slope: 0.1 } }
    """)
    pictures = rng.standard_normal((4, 2, 6, 6)).astype(np.float32)
    pipeline = MixedPipeline(load_model(path), fields=ENGINE, batch=4)
    with torch.no_grad():
        pipeline.net.stage("conv").layer.blobs[1].fill_(-40)
    plan = pipeline.plan(pictures, Calibration(percentile=100))
    with GoldenDevice(OPTIONS) as device:
        values = Executor(plan, pipeline.net, device).run({"data": pictures}).values["conv"]
    reference = pipeline.reference(pictures)
    assert reference.max() < -2
    # Half a step for the result, half a step times the slope for what the ReLU got, and the rounded weights.
    assert np.abs(values - reference).max() < 0.7 * plan.scales["conv"] < 0.3


def test_a_bundle_of_every_kind(pipeline, pictures, tmp_path):
    plan = pipeline.plan(pictures, Calibration())
    manifest = write_bundle(plan, pipeline.shapes, tmp_path / "bundle", clock_mhz=100.0)
    assert [job["layer"] for job in manifest["jobs"]] == list(LAYERS)
    by_layer = {job["layer"]: job for job in manifest["jobs"]}
    assert by_layer["large"]["convolution"] == {
        "batch": 3, "channels": 3, "filters": 6, "height": 21, "width": 18, "pad": (3, 3, 3, 3), "kernel": (7, 7),
        "stride": (2, 2), "dilation": (1, 1), "group": 1}
    ip = by_layer["ip"]["convolution"]
    assert (ip["channels"], ip["height"], ip["width"], ip["kernel"]) == (5 * 11 * 9, 1, 1, (1, 1))
    assert by_layer["ip"]["arrangement"] == "flat"
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = Draft202012Validator({**schema["$defs"]["job"], "$defs": schema["$defs"]})
    for job in json.loads((tmp_path / "bundle" / "manifest.json").read_text())["jobs"]:
        assert [error.message for error in validator.iter_errors(job)] == []
