"""What a layer is said to cost against what the engine takes, cycle by cycle.

A job's estimate must be within `SHARE` of the measured cycles or within `CYCLES` of them, whichever is more: the start
and the end of a short job depend on what overlaps with what.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from cortado.device.device import Device, DeviceOptions, device_types
from cortado.engines.estimate import Estimate
from cortado.engines.winograd import Winograd
from cortado.executor.executor import run_job
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution

SHARE = 0.15
CYCLES = 200

# 144 multipliers and the default buffers.
ENGINE = Winograd.from_fields({"m": 4, "pc": 2, "pk": 2})

# N, C, H, W and K, pad 1.
LAYERS = [
    # The layers of the digits network, one picture and several.
    (1, 1, 8, 8, 16), (1, 16, 8, 8, 16), (1, 16, 4, 4, 32), (1, 32, 4, 4, 32),
    (8, 1, 8, 8, 16), (8, 16, 8, 8, 16), (8, 16, 4, 4, 32), (8, 32, 4, 4, 32), (90, 1, 8, 8, 16),
    # As in VGG, fewer channels: multiplying, then the weights, bind.
    (1, 3, 56, 56, 64), (1, 64, 28, 28, 64), (1, 128, 14, 14, 32), (1, 8, 56, 56, 64), (1, 64, 13, 13, 64),
    # Few output channels: the input binds.
    (1, 3, 112, 112, 4), (1, 16, 32, 200, 3), (2, 5, 31, 45, 7),
    # Hardly anything.
    (1, 1, 1, 1, 1), (1, 2, 100, 3, 2), (1, 2, 3, 100, 2),
]


# Everything that is no 3 x 3 kernel of stride 1 on all channels: N, C, H, W, K, the pad on all sides and the rest.
GENERAL_LAYERS = [
    # Pointwise: multiplying, then the weights, bind; an inner product over a batch.
    (1, 64, 28, 28, 64, 0, {"kernel": (1, 1)}), (8, 32, 7, 7, 64, 0, {"kernel": (1, 1)}),
    (1, 16, 13, 13, 128, 0, {"kernel": (1, 1)}), (16, 256, 1, 1, 64, 0, {"kernel": (1, 1)}),
    (2, 8, 20, 30, 12, 0, {"kernel": (1, 1), "stride": (2, 2)}),
    # Pieces and phases.
    (1, 16, 27, 27, 32, 2, {"kernel": (5, 5)}), (1, 3, 56, 56, 16, 3, {"kernel": (7, 7), "stride": (2, 2)}),
    (1, 3, 67, 67, 16, 0, {"kernel": (11, 11), "stride": (4, 4)}), (1, 16, 28, 28, 16, 1, {"stride": (2, 2)}),
    (1, 8, 20, 20, 8, 3, {"dilation": (3, 3)}),
    # Groups, down to one channel each.
    (1, 16, 13, 13, 32, 1, {"group": 2}), (1, 16, 14, 14, 16, 1, {"group": 16}),
    # Channel passes, and images that share tiles.
    (1, 512, 14, 14, 16, 1, {}), (4, 32, 13, 13, 32, 1, {}),
]


@pytest.fixture(scope="module")
def device(simulator_tools: None) -> Iterator[Device]:
    with device_types["rtlsim"](DeviceOptions(memory_bytes=16 * 2**20)) as opened:
        opened.program(ENGINE.design())
        yield opened


@pytest.mark.rtlsim
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: "x".join(map(str, layer)))
def test_estimate(device, rng, layer):
    check(device, rng, *layer, 1, {})


@pytest.mark.rtlsim
@pytest.mark.parametrize("layer", GENERAL_LAYERS, ids=lambda layer: "x".join(map(str, layer[:5])) + "".join(
    f"-{name}-{value}" for name, value in layer[6].items()))
def test_estimate_of_other_layers(device, rng, layer):
    check(device, rng, *layer)


def check(device, rng, batch, channels, height, width, filters, pad, fields):
    kernel, group = fields.get("kernel", (3, 3)), fields.get("group", 1)
    convolution = IntegerConvolution(
        weight=rng.integers(-128, 128, (filters, channels // group, *kernel)).astype(np.int8),
        bias=np.zeros(filters, np.int32), multiplier=np.full(filters, 40000, np.uint16),
        shift=np.full(filters, 26, np.uint8), pad=(pad,) * 4, stride=fields.get("stride", (1, 1)),
        dilation=fields.get("dilation", (1, 1)), group=group)
    job = ENGINE.job("layer", convolution, TensorShape((batch, channels, height, width)))
    maps = rng.integers(-128, 128, (batch, channels, height, width)).astype(np.int8)
    result, counters = run_job(device, job, maps)
    np.testing.assert_array_equal(result, convolution.golden(maps))
    assert abs(job.estimate.cycles - counters.cycles) <= max(SHARE * counters.cycles, CYCLES)


def test_estimates_add_up():
    total = Estimate(cycles=100, macs=4000, multipliers=10) + Estimate(cycles=300, macs=1000, multipliers=10)
    assert total == Estimate(cycles=400, macs=5000, multipliers=10)
    assert total.macs_per_multiplier_cycle == 1.25
