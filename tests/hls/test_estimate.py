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
from cortado.hls.estimate import dsps_of, estimate


@pytest.mark.rtlsim
@pytest.mark.parametrize(("filters", "channels", "size"), [(64, 64, 56), (128, 64, 14), (256, 256, 14)])
def test_cycles_of_the_winograd_kernel_are_those_of_the_circuit(simulator_tools, rng, filters, channels, size):
    taken = Winograd.from_fields({"m": 4, "pc": 4, "pk": 4})
    maps = whole_range(rng, (1, channels, size, size), np.dtype(np.int8))
    job = taken.job("layer", constant_scale(rng, filters, channels), TensorShape(maps.shape))
    with RtlsimDevice(DeviceOptions(memory_bytes=2**24)) as device:
        device.program(taken.design())
        _, counters = run_job(device, job, maps)
    assert estimate(ConvolutionCalls(job=job)).estimated_cycles == pytest.approx(counters.cycles, rel=0.1)


@pytest.mark.parametrize(("factors", "dsps"), [((8, 8), 1), ((15, 14), 1), ((20, 14), 1), ((18, 27), 1), ((27, 19), 2),
                                               ((23, 22), 2), ((28, 28), 4), ((33, 17), 2)])
def test_dsps_of_a_product(factors, dsps):
    assert dsps_of(*factors) == dsps_of(*reversed(factors)) == dsps


def test_dsps_of_the_winograd_kernel():
    taken = Winograd.from_fields({"m": 4, "pc": 4, "pk": 4})
    job = taken.job("layer", constant_scale(np.random.default_rng(0), 4, 4), TensorShape((1, 4, 8, 8)))
    # 36 products for each of 16 pairs; 16 results of a tile requantised, 33 x 17 bits by two DSPs each.
    assert estimate(ConvolutionCalls(job=job)).estimated_dsps == 36 * 16 + 16 * 2
