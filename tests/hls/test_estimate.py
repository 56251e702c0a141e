"""Estimates of the C++ kernels against what the circuit measures."""

from __future__ import annotations

import numpy as np
import pytest
from tests.hls.conftest import whole_range
from tests.hls.test_convolutions import constant_scale

from cortado.device.device import DeviceOptions
from cortado.device.rtlsim import RtlsimDevice
from cortado.engines.winograd import Winograd
from cortado.executor.executor import run_job
from cortado.graph.shape import TensorShape
from cortado.hls.convolution_call import ConvolutionCalls
from cortado.hls.dsp import dsps_of

# Output channels, input channels, edge of the map, groups.
SMALL = {"a layer of GoogLeNet, 7x7": (320, 160, 7, 1), "a layer of GoogLeNet, 14x14": (208, 96, 14, 1),
         "few channels": (64, 64, 28, 1), "more channels": (128, 128, 28, 1), "AlexNet conv5": (256, 384, 13, 2)}
LARGE = {"VGG-16 conv1_1": (64, 3, 224, 1), "VGG-16 conv2_1": (128, 64, 112, 1), "VGG-16 conv3_1": (256, 128, 56, 1),
         "VGG-16 conv4_1": (512, 256, 28, 1), "VGG-16 conv5_1": (512, 512, 14, 1), "AlexNet conv3": (384, 256, 13, 1),
         "AlexNet conv4": (384, 384, 13, 2), "GoogLeNet conv2/3x3": (192, 64, 56, 1),
         "GoogLeNet inception_3a/3x3": (128, 96, 28, 1), "GoogLeNet inception_3b/3x3": (192, 128, 28, 1),
         "GoogLeNet inception_4b/3x3": (224, 112, 14, 1), "GoogLeNet inception_4c/3x3": (256, 128, 14, 1),
         "GoogLeNet inception_4d/3x3": (288, 144, 14, 1), "GoogLeNet inception_4e/3x3": (320, 160, 14, 1),
         "GoogLeNet inception_5b/3x3": (384, 192, 7, 1)}


@pytest.mark.rtlsim
@pytest.mark.parametrize(("filters", "channels", "size", "group"), [
    *(pytest.param(*layer, id=name) for name, layer in SMALL.items()),
    *(pytest.param(*layer, id=name, marks=pytest.mark.slow) for name, layer in LARGE.items())])
def test_cycles_of_the_winograd_kernel_are_those_of_the_circuit(simulator_tools, rng, filters, channels, size, group):
    taken = Winograd.from_fields({"m": 4, "pc": 4, "pk": 4})
    maps = whole_range(rng, (1, channels, size, size), np.dtype(np.int8))
    job = taken.job("layer", constant_scale(rng, filters, channels, group), TensorShape(maps.shape))
    with RtlsimDevice(DeviceOptions(memory_bytes=2**26)) as device:
        device.program(taken.design())
        _, counters = run_job(device, job, maps)
    assert ConvolutionCalls(job=job).cycles == pytest.approx(counters.cycles, rel=0.1)


@pytest.mark.parametrize(("factors", "dsps"), [((8, 8), 1), ((15, 14), 1), ((20, 14), 1), ((18, 27), 1), ((27, 19), 2),
                                               ((23, 22), 2), ((28, 28), 4), ((33, 17), 2)])
def test_dsps_of_a_product(factors, dsps):
    assert dsps_of(*factors) == dsps_of(*reversed(factors)) == dsps


def test_dsps_of_the_winograd_kernel():
    taken = Winograd.from_fields({"m": 4, "pc": 4, "pk": 4})
    job = taken.job("layer", constant_scale(np.random.default_rng(0), 4, 4), TensorShape((1, 4, 8, 8)))
    # 36 products for each of 16 pairs; 16 results of a tile requantised, 33 x 17 bits by two DSPs each.
    assert ConvolutionCalls(job=job).dsps == 36 * 16 + 16 * 2
