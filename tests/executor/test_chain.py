"""FPGA layers behind one another: maps stay on the device, parts run side by side, the device is programmed anew."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from cortado.device.device import DeviceOptions, device_types
from cortado.device.golden import GoldenDevice
from cortado.errors import DeviceError, GraphError
from cortado.executor.executor import Executor
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.executor.run import Run
from cortado.executor.traffic import Traffic
from cortado.frontends.model import load_model
from cortado.planner.calibration import Calibration

# On 8 x 8 maps with pc = pk a result lies as the next layer wants it. `c` reads what the host's Sigmoid makes.
NETWORK = """
name: "chain" input: "data" input_shape { dim: 1 dim: 2 dim: 8 dim: 8 }
{program_1}
layer { name: "a" type: "Convolution" bottom: "data" top: "a"
        convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
{program_2}
layer { name: "b" type: "Convolution" bottom: "a" top: "b"
        convolution_param { num_output: 2 kernel_size: 3 pad: 1 } }
layer { name: "sigmoid" type: "Sigmoid" bottom: "b" top: "sigmoid" }
layer { name: "c" type: "Convolution" bottom: "sigmoid" top: "c"
        convolution_param { num_output: 3 kernel_size: 1 } }
"""
# That of the fixture `other_engine`, whose simulator other tests want too.
ENGINE = {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "largest_taps": 180, "tiles": 12, "buffer_words": 48,
          "block_columns": 8}
BATCH = 4
# Bytes of a picture in the layouts of the engine: channels in pairs, rows of 16 bytes.
DATA, A, B, C = 128, 256, 128, 256
KEEP = ("a", "b", "sigmoid", "c")


@pytest.fixture
def make(tmp_path):
    """Makes the pipeline of the network; `programs` stand before the layers a and b."""
    def make_one(*programs: str, batch: int = BATCH, **options) -> MixedPipeline:
        text = NETWORK
        for index in (1, 2):
            layer = (f'layer {{ name: "program_{index}" type: "XCLProgram" xcl_name: "{programs[index - 1]}" }}'
                     if programs else "")
            text = text.replace(f"{{program_{index}}}", layer)
        path = tmp_path / "chain.prototxt"
        path.write_text(text)
        return MixedPipeline(load_model(path), **{"fields": ENGINE, "batch": batch, "seed": 1, **options})

    return make_one


@pytest.fixture
def pictures(rng) -> np.ndarray:
    return rng.standard_normal((BATCH, 2, 8, 8)).astype(np.float32)


def run(pipeline: MixedPipeline, pictures: np.ndarray, kind: str = "golden", **options: object) -> Run:
    plan = pipeline.plan(pictures, Calibration(percentile=100))
    with (device_types[kind](DeviceOptions(memory_bytes=2**20)) as device,
          Executor(plan, pipeline.net, device) as executor):
        return executor.run({"data": pictures}, **options)


def weight_bytes(pipeline: MixedPipeline, pictures: np.ndarray) -> dict[str, int]:
    """Of each layer's packed weights."""
    plan = pipeline.plan(pictures, Calibration(percentile=100))
    with GoldenDevice(DeviceOptions()) as device:
        executor = Executor(plan, pipeline.net, device)
        return {name: executor.job(name, (pipeline.batch, channels, 8, 8)).weights_bytes
                for name, channels in (("a", 2), ("b", 4), ("c", 2))}


def test_maps_stay_on_the_device(make, pictures):
    pipeline = make(batch=1)
    one = pictures[:1]
    weights = weight_bytes(pipeline, one)
    found = run(pipeline, one)
    # Up: the picture, what the host made, weights. Down: b for the host, c for the caller. Spared: a, twice.
    assert found.traffic == Traffic(
        to_device_bytes=DATA + B + sum(weights.values()), from_device_bytes=B + C, copies=7, spared_bytes=2 * A,
        spared_copies=2)
    assert [layer.traffic.copies for layer in found.layers if layer.counters is None and layer.traffic.copies] == [
        2, 1, 1, 3]
    checked = run(pipeline, one, compare=1).traffic
    assert checked == found.traffic + Traffic(checked_bytes=A)


def test_weights_stay_from_part_to_part(make, pictures):
    pipeline = make(batch=1)
    weights = weight_bytes(pipeline, pictures[:1])
    found = run(pipeline, pictures, at_once=1)
    assert found.traffic == Traffic(
        to_device_bytes=BATCH * (DATA + B) + sum(weights.values()), from_device_bytes=BATCH * (B + C),
        copies=4 * BATCH + 3, spared_bytes=BATCH * 2 * A + (BATCH - 1) * sum(weights.values()),
        spared_copies=2 * BATCH + 3 * (BATCH - 1))


@pytest.mark.parametrize("kind", ["golden", pytest.param("rtlsim", marks=pytest.mark.rtlsim)])
@pytest.mark.parametrize(("at_once", "in_flight"), [(1, 1), (1, 2), (1, 4), (3, 2), (None, 2)])
def test_parts_give_what_the_whole_gives(request, make, pictures, kind, at_once, in_flight):
    if kind == "rtlsim":
        request.getfixturevalue("simulator_tools")
    expected = run(make(), pictures, keep=KEEP).values
    found = run(make(batch=at_once or BATCH), pictures, kind, compare=1, at_once=at_once, in_flight=in_flight,
                keep=KEEP)
    assert [*found.values] == ["data", *KEEP]
    for name, value in expected.items():
        np.testing.assert_array_equal(found.values[name], value, err_msg=name)
    parts = -(-BATCH // (at_once or BATCH))
    assert (found.batch, found.parts, found.in_flight) == (BATCH, parts, min(parts, in_flight))
    assert (found.compared_layers, found.equal_layers, found.programmings) == (3, 3, 1)
    if kind == "rtlsim":
        assert found.counters.busy == sum(layer.counters.busy for layer in found.layers if layer.counters)


def test_host_and_device_run_side_by_side(make, pictures):
    """The host's first layer ends only when the second job of `b` has begun, and that one waits for that layer."""
    pipeline = make(batch=1)
    plan = pipeline.plan(pictures, Calibration(percentile=100))
    on_host, on_device = threading.Event(), threading.Event()
    jobs = []

    class WaitingDevice(GoldenDevice):
        def _execute(self, prepared, record):
            jobs.append(record.layer)
            if jobs.count("b") == 2:
                on_device.set()
                assert on_host.wait(timeout=20)
            super()._execute(prepared, record)

    sigmoid = pipeline.net.stage("sigmoid")
    forward = sigmoid.forward

    def waiting(*bottoms):
        on_host.set()
        assert on_device.wait(timeout=20)
        return forward(*bottoms)

    sigmoid.forward = waiting
    with WaitingDevice(DeviceOptions(memory_bytes=2**20)) as device:
        found = Executor(plan, pipeline.net, device).run({"data": pictures}, at_once=1, in_flight=2)
    np.testing.assert_array_equal(found.values["c"], run(make(), pictures).values["c"])
    assert sorted(jobs) == sorted(BATCH * ("a", "b", "c"))


def test_the_first_error_is_told_and_nothing_is_left(make, pictures):
    pipeline = make(batch=1)
    plan = pipeline.plan(pictures, Calibration(percentile=100))

    class FailingDevice(GoldenDevice):
        def _execute(self, prepared, record):
            if prepared[0].layer == "b":
                raise DeviceError("device 'failing': b must not run")
            super()._execute(prepared, record)

    with FailingDevice(DeviceOptions(memory_bytes=2**20)) as device:
        executor = Executor(plan, pipeline.net, device)
        with pytest.raises(DeviceError, match=r"^device 'failing': b must not run$"):
            executor.run({"data": pictures}, at_once=1, in_flight=2)
        executor.__exit__(None)
        device.allocate(2**20 - 4096)


@pytest.mark.parametrize("kind", ["golden", pytest.param("rtlsim", marks=pytest.mark.rtlsim)])
def test_the_network_says_when_the_device_is_programmed(request, make, pictures, kind):
    if kind == "rtlsim":
        request.getfixturevalue("simulator_tools")
    expected = run(make(), pictures, keep=KEEP).values
    fields = {name: value for name, value in ENGINE.items() if name != "tiles"}
    pipeline = make("winograd_tiles16", "winograd_tiles12", batch=1, fields=fields)
    assert pipeline.cut.engine_of("a") != pipeline.cut.engine_of("b") == pipeline.cut.engine_of("c")
    found = run(pipeline, pictures, kind, compare=1, at_once=1, in_flight=2, keep=KEEP)
    for name, value in expected.items():
        np.testing.assert_array_equal(found.values[name], value, err_msg=name)
    # Once for each engine, not for each part.
    assert (found.programmings, found.equal_layers) == (2, 3)
    # What only the device had came home before, and went up again.
    weights = weight_bytes(pipeline, pictures[:1])
    assert found.traffic.to_device_bytes == BATCH * (DATA + A + B) + sum(weights.values())
    assert found.traffic.from_device_bytes == BATCH * (A + B + C)


def test_a_second_run_programs_nothing_and_its_weights_are_there(make, pictures):
    pipeline = make()
    plan = pipeline.plan(pictures, Calibration(percentile=100))
    with GoldenDevice(DeviceOptions(memory_bytes=2**20)) as device:
        executor = Executor(plan, pipeline.net, device)
        first, second = (executor.run({"data": pictures}) for _ in range(2))
    weights = sum(weight_bytes(pipeline, pictures).values())
    assert (first.programmings, second.programmings) == (1, 0)
    assert first.traffic.to_device_bytes - second.traffic.to_device_bytes == weights
    np.testing.assert_array_equal(first.values["c"], second.values["c"])


def test_what_has_no_row_for_each_picture_is_not_put_together(tmp_path, pictures):
    path = tmp_path / "chain.prototxt"
    path.write_text(NETWORK.replace("{program_1}", "").replace("{program_2}", "") + """
        layer { name: "sum" type: "Reduction" bottom: "c" top: "sum" }""")
    pipeline = MixedPipeline(load_model(path), fields=ENGINE, batch=2, seed=1)
    with pytest.raises(GraphError, match=(
            r"^blob 'sum': it must have a row for each picture to be put together from parts, not shape of a scalar; "
            r"run all pictures at once$")):
        run(pipeline, pictures, at_once=2)
    whole = run(pipeline, pictures)
    assert whole.values["sum"].shape == ()
