"""A network cut in two: each half computes what it must, and what was measured adds up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cortado.device.device import Device, DeviceOptions, device_types
from cortado.device.golden import GoldenDevice
from cortado.errors import DeviceError
from cortado.executor.executor import Executor, run_job
from cortado.planner.calibration import Calibration
from cortado.planner.plan import Target

MEMORY_BYTES = 2**20
BLOBS = ("a", "pool", "b/3x3")


def golden_device() -> Device:
    return GoldenDevice(DeviceOptions(memory_bytes=MEMORY_BYTES))


def quantised_layer(plan, net, name, values):
    """An FPGA layer as torch computes it on quantised values: rounded weights and inputs, results rounded once."""
    layer = plan.cut.net.layer(name)
    weight, bias = (torch.from_numpy(blob.astype(np.float64)) for blob in net.weights()[name])
    input_scale, output_scale = plan.scales[layer.bottoms[0]], plan.scales[layer.tops[0]]
    scales = weight.abs().amax((1, 2, 3)) / 127
    numbers = (weight / scales[:, None, None, None]).round()
    sums = functional.conv2d(torch.from_numpy(values / input_scale).round().clamp(-128, 127), numbers, padding=1)
    sums = sums + (bias / (input_scale * scales)).round()[:, None, None]
    result = (sums * (input_scale * scales / output_scale)[:, None, None]).round().clamp(-128, 127)
    return (result.clamp(min=0) if layer.fused else result).numpy() * output_scale


def test_the_mixed_network_is_float_but_for_rounding(plan, pipeline, pictures):
    with golden_device() as device:
        run = Executor(plan, pipeline.net, device).run({"data": pictures}, keep=BLOBS)
    values = run.values
    assert [*values] == ["data", *BLOBS, "score"]
    assert all(value.dtype == np.float32 for value in values.values())
    for name, bottom in (("a", "data"), ("b/3x3", "pool")):
        expected = quantised_layer(plan, pipeline.net, name, values[bottom].astype(np.float64))
        # The factor has sixteen bits: a result on the edge of two steps may fall the other way.
        off = np.abs(values[name] - expected) > 1e-5
        assert off.mean() < 0.01
        assert np.abs(values[name] - expected).max() < plan.scales[name] * 1.001
    pooled = functional.max_pool2d(torch.from_numpy(values["a"]), 2, ceil_mode=True).numpy()
    np.testing.assert_array_equal(values["pool"], pooled)
    weight, bias = pipeline.net.weights()["score"]
    np.testing.assert_allclose(values["score"], values["b/3x3"].reshape(3, -1) @ weight.T + bias, atol=1e-5)
    # And the whole is near the float network.
    reference = pipeline.reference(pictures)
    assert np.abs(values["score"] - reference).max() < 0.05 * np.abs(reference).max()


@pytest.mark.parametrize("kind", ["golden", pytest.param("rtlsim", marks=pytest.mark.rtlsim)])
def test_every_device_gives_the_same_bits(request, kind, plan, pipeline, pictures):
    if kind == "rtlsim":
        request.getfixturevalue("simulator_tools")
    with golden_device() as device:
        expected = Executor(plan, pipeline.net, device).run({"data": pictures}, keep=BLOBS).values
    with device_types[kind](DeviceOptions(memory_bytes=MEMORY_BYTES)) as device:
        run = Executor(plan, pipeline.net, device).run({"data": pictures}, compare=True, keep=BLOBS)
    for name, value in expected.items():
        np.testing.assert_array_equal(run.values[name], value, err_msg=name)
    assert (run.device, run.batch, run.compared_layers, run.equal_layers) == (kind, 3, 2, 2)
    for layer in run.layers:
        on_fpga = layer.placement.target is Target.FPGA
        assert layer.equal_to_golden == (True if on_fpga else None)
        assert (layer.traffic.to_device_bytes > 0) == on_fpga
        assert (layer.counters is not None) == (on_fpga and kind == "rtlsim")
    if kind == "golden":
        assert (run.counters, run.memory_model) == (None, None)
        return
    assert run.memory_model == "64-bit beats, 64 cycles latency, 16 bursts outstanding"
    # 2 x 2 results a tile, 2 input channels by 1 output channel a cycle.
    assert [layer.counters.busy for layer in run.layers if layer.counters] == [
        3 * (5 * 4) * 1 * 4, 3 * (3 * 2) * 2 * 3]
    assert run.counters.cycles == sum(layer.counters.cycles for layer in run.layers if layer.counters)


def test_layers_are_told_before_they_run(plan, pipeline, pictures):
    told = []
    with golden_device() as device:
        Executor(plan, pipeline.net, device, started=lambda place: told.append(place.layer)).run({"data": pictures})
    assert told == ["input", "a", "pool", "b/3x3", "score"]


def test_without_fpga_layers_no_device_is_programmed(make_pipeline, pictures):
    pipeline = make_pipeline(host=("a", "b/3x3"))
    plan = pipeline.plan(pictures, Calibration())

    class Unprogrammable(GoldenDevice):
        def program(self, design):
            raise AssertionError("nothing runs on it")

    with Unprogrammable(DeviceOptions(memory_bytes=MEMORY_BYTES)) as device:
        run = Executor(plan, pipeline.net, device).run({"data": pictures}, compare=True)
    assert (run.compared_layers, run.counters, run.memory_model) == (0, None, None)
    np.testing.assert_allclose(run.values["score"], pipeline.reference(pictures), atol=1e-5)


def test_a_job_gives_its_memory_back_even_if_it_fails(plan, pipeline, small_engine):
    class Failing(GoldenDevice):
        def run(self, job, **buffers):
            raise DeviceError("failed")

    maps = np.zeros((3, 2, 9, 7), np.int8)
    with Failing(DeviceOptions(memory_bytes=MEMORY_BYTES)) as device:
        device.program(small_engine.design())
        job = Executor(plan, pipeline.net, device).job("a", maps.shape)
        with pytest.raises(DeviceError, match=r"^failed$"):
            run_job(device, job, maps)
        device.allocate(MEMORY_BYTES - 4096)


def test_a_job_that_does_not_fit_gives_back_what_it_had(plan, pipeline, small_engine):
    maps = np.zeros((3, 2, 9, 7), np.int8)
    with GoldenDevice(DeviceOptions(memory_bytes=3 * 4096)) as device:
        device.program(small_engine.design())
        job = Executor(plan, pipeline.net, device).job("a", maps.shape)
        with pytest.raises(DeviceError, match=(
                r"^device memory: \d+ bytes do not fit; \d+ of 12288 bytes are taken\. Use a smaller batch or a device "
                r"with more memory \(--memory-mib\)$")):
            run_job(device, job, maps)
        device.allocate(2 * 4096)
