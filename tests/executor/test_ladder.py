"""The ladder finds what is planted, names it, and raises no false alarm."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from cortado.device.device import DeviceOptions, device_types
from cortado.device.golden import GoldenDevice
from cortado.device.rtlsim import RtlsimDevice
from cortado.executor.ladder import Rung, climb
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.numerics.convolution import IntegerConvolution
from cortado.planner.calibration import Calibration
from cortado.planner.plan import Plan

OPTIONS = DeviceOptions(memory_bytes=2**20)
LAYERS = ("a", "b/3x3")


@dataclass(frozen=True)
class Fault:
    """One bit of one result."""

    layer: str
    place: tuple[int, int, int, int]
    bit: int


class Faulty:
    """A device that flips one bit of one layer's result, in one job of that many maps."""

    fault: Fault
    batch: int = 3

    def run(self, job, *, source, weights, target):
        counters = super().run(job, source=source, weights=weights, target=target)
        if job.layer == self.fault.layer and job.shape.batch == self.batch:
            maps = job.target.unpack(self.read(target))
            maps.view(np.uint8)[self.fault.place] ^= 1 << self.fault.bit
            self.write(target, job.target.pack(maps))
        return counters


class FaultyGolden(Faulty, GoldenDevice):
    pass


class FaultyRtlsim(Faulty, RtlsimDevice):
    pass


def climbed(plan: Plan, pipeline: MixedPipeline, pictures: np.ndarray, device: object = None) -> tuple[Rung, ...]:
    with device or GoldenDevice(OPTIONS) as opened:
        return climb(plan, pipeline.net, opened, {"data": pictures}, layers=plan.cut.fpga_layers)


def steps(rungs: tuple[Rung, ...]) -> list[tuple[str, str, str]]:
    return [(rung.layer, rung.lower, rung.upper) for rung in rungs]


def differing(rungs: tuple[Rung, ...]) -> list[tuple[str, str]]:
    return [(rung.layer, rung.upper) for rung in rungs if not rung.equal]


@pytest.mark.parametrize("kind", ["golden", pytest.param("rtlsim", marks=pytest.mark.rtlsim)])
def test_two_steps_a_layer(request, kind, plan, pipeline, pictures):
    if kind == "rtlsim":
        request.getfixturevalue("simulator_tools")
    rungs = climbed(plan, pipeline, pictures, device_types[kind](OPTIONS))
    assert steps(rungs) == [("a", "reference", "golden"), ("a", "golden", kind), ("b/3x3", "reference", "golden"),
                            ("b/3x3", "golden", kind)]
    assert differing(rungs) == []
    # The step to the device has a random map beside the three pictures.
    assert [rung.compared for rung in rungs] == [(batch * kernels) * size for kernels, size in ((4, 9 * 7), (3, 5 * 4))
                                                 for batch in (3, 4)]
    for rung in rungs:
        assert (rung.different, 0 <= rung.mean_error <= rung.max_error <= rung.largest_tolerance) == (0, True)
        # Rounding a result is half a step; the rest is what rounding the weights did.
        assert (rung.largest_tolerance == 0) if rung.lower == "golden" else (0.5 < rung.largest_tolerance < 3)


@pytest.mark.parametrize(("kind", "fault"), [
    (FaultyGolden, Fault("a", (2, 3, 8, 6), 0)),
    (FaultyGolden, Fault("b/3x3", (0, 0, 0, 0), 7)),
    pytest.param(FaultyRtlsim, Fault("b/3x3", (1, 2, 4, 3), 4), marks=pytest.mark.rtlsim),
])
def test_one_bit_is_found_and_named(request, plan, pipeline, pictures, kind, fault):
    if kind is FaultyRtlsim:
        request.getfixturevalue("simulator_tools")
    device = kind(OPTIONS)
    device.fault = fault
    rungs = climbed(plan, pipeline, pictures, device)
    # The other layer starts from golden, so the fault does not show in it.
    assert differing(rungs) == [(fault.layer, device.name)]
    (rung,) = (rung for rung in rungs if not rung.equal)
    assert (rung.different, rung.worst, rung.max_error) == (1, fault.place, 2.0**fault.bit)
    assert rung.mean_error == pytest.approx(2.0**fault.bit / rung.compared)


def test_a_fault_that_shows_on_the_random_map_only(plan, pipeline, pictures):
    device = FaultyGolden(OPTIONS)
    device.fault, device.batch = Fault("a", (0, 1, 2, 3), 3), 1
    rungs = climbed(plan, pipeline, pictures, device)
    (rung,) = (rung for rung in rungs if not rung.equal)
    assert (rung.layer, rung.upper, rung.different, rung.worst) == ("a", "golden", 1, (3, 1, 2, 3))
    assert rung.max_error == 8


def with_convolution(plan: Plan, layer: str, **changes: object) -> Plan:
    """The plan with some fields of one layer's integers changed."""
    old = plan.convolutions[layer]
    fields = {name: getattr(old, name) for name in (
        "weight", "bias", "multiplier", "shift", "pad", "stride", "dilation", "group", "relu", "slope")}
    return replace(plan, convolutions={**plan.convolutions, layer: IntegerConvolution(**{**fields, **changes})})


@pytest.mark.parametrize("layer", LAYERS)
def test_every_single_weight_that_is_off_by_two_is_found(plan, pipeline, rng, layer):
    pictures = rng.standard_normal((40, 2, 9, 7)).astype(np.float32)
    weight = plan.convolutions[layer].weight
    for place in np.ndindex(weight.shape):
        wrong = weight.copy()
        wrong[place] += 2 if weight[place] < 0 else -2
        rungs = climbed(with_convolution(plan, layer, weight=wrong), pipeline, pictures)
        assert differing(rungs) == [(layer, "golden")], place
        (rung,) = (rung for rung in rungs if not rung.equal)
        # It is a weight of the output channel that is named.
        assert (rung.worst[1], rung.different > 0) == (place[0], True)


@pytest.mark.parametrize("change", ["bias", "multiplier", "shift", "relu", "taps"])
def test_every_other_number_that_is_wrong_is_found(plan, pipeline, pictures, change):
    old = plan.convolutions["a"]
    changes = {
        "bias": {"bias": old.bias + np.array([0, 0, 300, 0], np.int32)},
        "multiplier": {"multiplier": (old.multiplier * np.array([1, 1, 1, 0.99])).astype(np.uint16)},
        "shift": {"shift": old.shift + np.array([0, 1, 0, 0], np.uint8)},
        "relu": {"relu": False},
        "taps": {"weight": old.weight[:, :, ::-1]},
    }
    assert ("a", "golden") in differing(climbed(with_convolution(plan, "a", **changes[change]), pipeline, pictures))


def test_a_scale_that_cuts_weights_off_is_found(plan, pipeline, pictures):
    """Integers that fit their scales, and scales that do not fit the weights."""
    old, layer_format = plan.convolutions["a"], plan.formats["a"]
    halved = replace(layer_format, weight_scales=tuple(scale / 2 for scale in layer_format.weight_scales))
    weight = pipeline.net.weights()["a"][0].astype(np.float64)
    numbers = np.rint(weight / np.array(halved.weight_scales)[:, None, None, None])
    wrong = with_convolution(plan, "a", weight=np.clip(numbers, -127, 127).astype(np.int8), bias=2 * old.bias,
                             shift=(old.shift + 1).astype(np.uint8))
    wrong = replace(wrong, formats={**plan.formats, "a": halved})
    assert differing(climbed(wrong, pipeline, pictures)) == [("a", "golden")]


@pytest.mark.parametrize("seed", range(12))
def test_no_false_alarm(make_pipeline, seed):
    rng = np.random.default_rng(seed)
    pipeline = make_pipeline(seed=seed)
    pictures = (rng.standard_normal((20, 2, 9, 7)) * 10.0 ** rng.integers(-6, 6)).astype(np.float32)
    for percentile in (None, 100, 90):
        plan = pipeline.plan(pictures, Calibration(percentile=percentile))
        assert differing(climbed(plan, pipeline, pictures)) == []


@pytest.mark.parametrize("weight_bits", [8, 16])
@pytest.mark.parametrize("seed", range(4))
def test_no_false_alarm_in_16_bits(make_pipeline, seed, weight_bits):
    rng = np.random.default_rng(seed)
    pipeline = make_pipeline(seed=seed, fields={"m": 2, "pc": 1, "pk": 1, "data_bits": 16, "weight_bits": weight_bits})
    pictures = (rng.standard_normal((20, 2, 9, 7)) * 10.0 ** rng.integers(-6, 6)).astype(np.float32)
    for percentile in (None, 100, 90):
        plan = pipeline.plan(pictures, Calibration(percentile=percentile))
        assert {layer_format.input_bits for layer_format in plan.formats.values()} == {16}
        assert differing(climbed(plan, pipeline, pictures)) == []


def test_16_bits_are_closer_to_float_than_8(make_pipeline, pictures):
    """In steps of int8: 256 of int16 are one."""
    errors = {}
    for bits in (8, 16):
        pipeline = make_pipeline(fields={"m": 2, "pc": 1, "pk": 1, "data_bits": bits, "weight_bits": bits})
        rungs = climbed(pipeline.plan(pictures, Calibration(percentile=100)), pipeline, pictures)
        errors[bits] = max(rung.mean_error for rung in rungs) / 2 ** (bits - 8)
    assert errors[16] < errors[8] / 50


def test_pictures_of_zeros(pipeline):
    pictures = np.zeros((1, 2, 9, 7), np.float32)
    assert differing(climbed(pipeline.plan(pictures, Calibration()), pipeline, pictures)) == []


def test_one_layer_of_several(plan, pipeline, pictures):
    told = []
    with GoldenDevice(OPTIONS) as device:
        rungs = climb(plan, pipeline.net, device, {"data": pictures}, layers=("b/3x3",),
                      started=lambda place: told.append(place.layer))
    assert {rung.layer for rung in rungs} == {"b/3x3"}
    assert told == ["b/3x3"]


def test_nothing_to_compare(make_pipeline, pictures):
    pipeline = make_pipeline(host=LAYERS)
    assert climbed(pipeline.plan(pictures, Calibration()), pipeline, pictures) == ()
