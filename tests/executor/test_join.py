"""Concats by address: each layer reads where those before it have written, and gives what it gives behind the host."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cortado.device.device import DeviceOptions, device_types
from cortado.device.golden import GoldenDevice
from cortado.executor.executor import Executor
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.executor.run import Run
from cortado.frontends.model import load_model
from cortado.planner.calibration import Calibration
from cortado.planner.plan import Target

# Two modules behind one another, the first with a channel too few for its last block, on maps whose rows leave a gap.
NETWORK = """
name: "fires" input: "data" input_shape { dim: 1 dim: 2 dim: 6 dim: 7 }
layer { name: "squeeze" type: "Convolution" bottom: "data" top: "squeeze"
        convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
layer { name: "a1" type: "Convolution" bottom: "squeeze" top: "a1" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "a3" type: "Convolution" bottom: "squeeze" top: "a3"
        convolution_param { num_output: 3 kernel_size: 3 pad: 1 } }
layer { name: "a" type: "Concat" bottom: "a1" bottom: "a3" top: "a" }
layer { name: "b1" type: "Convolution" bottom: "a" top: "b1" convolution_param { num_output: 2 kernel_size: 1 } }
layer { name: "b5" type: "Convolution" bottom: "a" top: "b5"
        convolution_param { num_output: 6 kernel_size: 5 pad: 2 group: 1 } }
layer { name: "b" type: "Concat" bottom: "b5" bottom: "b1" top: "b" }
layer { name: "last" type: "Convolution" bottom: "b" top: "last" convolution_param { num_output: 3 kernel_size: 3 } }
layer { name: "sum" type: "Reduction" bottom: "a" top: "sum" reduction_param { axis: 1 } }
"""
# That of the fixture `other_engine`, whose simulator other tests want too.
ENGINE = {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "largest_taps": 180, "tiles": 12, "buffer_words": 48,
          "block_columns": 8}
KEEP = ("a1", "a", "b", "last", "sum")


@pytest.fixture
def make(tmp_path):
    """Makes the pipeline for a batch; options as of `MixedPipeline`."""
    path = tmp_path / "fires.prototxt"
    path.write_text(NETWORK)

    def make_one(batch: int, **options: object) -> MixedPipeline:
        return MixedPipeline(load_model(path), fields=ENGINE, batch=batch, seed=1, **options)

    return make_one


def run(pipeline: MixedPipeline, pictures: np.ndarray, kind: str = "golden", **options: object) -> Run:
    plan = pipeline.plan(pictures, Calibration(percentile=100))
    with (device_types[kind](DeviceOptions(memory_bytes=2**20)) as device,
          Executor(plan, pipeline.net, device) as executor):
        return executor.run({"data": pictures}, **options)


def require_equal(found: Run, expected: Run) -> None:
    for name in KEEP:
        np.testing.assert_array_equal(found.values[name], expected.values[name], err_msg=name)


@pytest.mark.parametrize("kind", ["golden", "csim", pytest.param("rtlsim", marks=pytest.mark.rtlsim)])
@pytest.mark.parametrize(("batch", "at_once", "in_flight"), [(1, None, 1), (3, None, 1), (3, 1, 2), (3, 2, 2)])
def test_joined_gives_what_the_host_joins(request, make, rng, kind, batch, at_once, in_flight):
    if kind == "rtlsim":
        request.getfixturevalue("simulator_tools")
    pictures = rng.standard_normal((batch, 2, 6, 7)).astype(np.float32)
    on_host = make(batch, host=("a", "b"))
    assert not on_host.cut.joins
    expected = run(on_host, pictures, keep=KEEP)
    pipeline = make(at_once or batch)
    assert [place.layer for place in pipeline.cut.placements if place.target is Target.MEMORY] == ["a", "b"]
    found = run(pipeline, pictures, kind, compare=1, at_once=at_once, in_flight=in_flight, keep=KEEP)
    require_equal(found, expected)
    assert (found.compared_layers, found.equal_layers) == (6, 6)


def test_nothing_is_copied_for_a_concat(make, rng):
    """Up go the picture and weights, back come what the host reads and the results."""
    pictures = rng.standard_normal((1, 2, 6, 7)).astype(np.float32)
    found = run(make(1), pictures)
    by_name = {layer.placement.layer: layer for layer in found.layers}
    rows = 6 * 16  # 7 pixels of 2 channels in 8-byte beats
    assert by_name["last"].traffic.from_device_bytes == 2 * 4 * 16
    assert (by_name["a"].traffic.to_device_bytes, by_name["a"].traffic.from_device_bytes) == (0, 0)
    # The host's sum reads `a`, all four blocks of it, in one copy.
    assert (by_name["sum"].traffic.copies, by_name["sum"].traffic.from_device_bytes) == (1, 4 * rows)
    assert found.traffic.from_device_bytes == 4 * rows + 2 * 4 * 16
    maps = sum(layer.traffic.to_device_bytes for layer in found.layers) - sum(
        run_weights(make(1), pictures).values())
    assert maps == rows


def run_weights(pipeline: MixedPipeline, pictures: np.ndarray) -> dict[str, int]:
    """Bytes of each layer's packed weights."""
    plan = pipeline.plan(pictures, Calibration(percentile=100))
    channels = {"squeeze": 2, "a1": 4, "a3": 4, "b1": 7, "b5": 7, "last": 8}
    with GoldenDevice(DeviceOptions()) as device:
        executor = Executor(plan, pipeline.net, device)
        return {name: executor.job(name, (1, count, 6, 7)).weights_bytes for name, count in channels.items()}


def test_all_memory_comes_back(make, rng):
    pictures = rng.standard_normal((2, 2, 6, 7)).astype(np.float32)
    pipeline = make(2)
    plan = pipeline.plan(pictures, Calibration(percentile=100))
    with GoldenDevice(DeviceOptions(memory_bytes=2**20)) as device:
        with Executor(plan, pipeline.net, device) as executor:
            executor.run({"data": pictures}, keep=KEEP)
        device.free(device.allocate(2**20 - 2 * 4096))


def test_a_device_that_lost_its_memory_in_between(make, rng):
    """Parts written before the device is programmed anew come home, and the host joins them."""
    pictures = rng.standard_normal((1, 2, 6, 7)).astype(np.float32)
    pipeline = make(1)
    expected = run(make(1, host=("a", "b")), pictures, keep=KEEP)

    class Forgetful(GoldenDevice):
        """Programs itself as another engine, and back, behind the layer a3."""

        def wait(self, ticket):
            counters = super().wait(ticket)
            if ticket.layer == "a3":
                (part,) = parts
                part.leave_device()
                self.program(replace(design, configuration_hash="another"))
                self.program(design)
            return counters

    plan = pipeline.plan(pictures, Calibration(percentile=100))
    design, parts = plan.cut.engine.design(), []
    with Forgetful(DeviceOptions(memory_bytes=2**20)) as device:
        executor = Executor(plan, pipeline.net, device)
        run_layer = executor._run_layer

        def noting(placement, part, compare):
            parts[:] = [part]
            return run_layer(placement, part, compare)

        executor._run_layer = noting
        found = executor.run({"data": pictures}, keep=KEEP)
    require_equal(found, expected)
