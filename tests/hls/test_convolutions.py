"""The C++ kernels as g++ compiles them: equal to golden to the bit."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from tests.hls.conftest import ENGINES, MEMORY_BYTES, drawn_layer, engine, run, whole_range

from cortado.device.csim import CsimDevice
from cortado.device.device import DeviceOptions
from cortado.device.rtlsim import RtlsimDevice
from cortado.engines.winograd import Winograd
from cortado.errors import LayerError
from cortado.executor.executor import run_job
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.frontends.model import load_model
from cortado.graph.shape import TensorShape
from cortado.hls.convolution_call import DIRECT, POINTWISE, WINOGRAD, ConvolutionCalls
from cortado.layers.convolution_view import CONVOLUTION_TYPES, ConvolutionView
from cortado.numerics.convolution import IntegerConvolution

NETWORKS = ("alexnet", "caffenet", "cifar10_quick", "googlenet", "lenet", "nin", "overfeat", "squeezenet", "vgg_a",
            "vgg16")


def check_layers(csim, rng, taken: Winograd, count: int, *others) -> Counter[str]:
    """`count` random layers on csim, on every other device, and in golden; how many ran on each kernel."""
    ran: Counter[str] = Counter()
    for device in (csim, *others):
        device.program(taken.design())
    while ran.total() < count:
        convolution, maps = drawn_layer(rng, taken)
        result = run(csim, taken, convolution, maps)
        if result is None:
            continue
        expected = convolution.golden(maps)
        np.testing.assert_array_equal(result, expected, err_msg=str(convolution.output_shape(maps.shape)))
        for device in others:
            np.testing.assert_array_equal(run(device, taken, convolution, maps), expected)
        # One of which the strides meet nothing but padding says little.
        if len(np.unique(expected)) > 1:
            ran[ConvolutionCalls(job=taken.job("layer", convolution, TensorShape(maps.shape))).kernel] += 1
    return ran


def test_two_hundred_random_layers(csim, rng):
    ran = check_layers(csim, rng, engine("m 4"), 200)
    # Each kernel has its share.
    assert min(ran[kernel] for kernel in (WINOGRAD, DIRECT, POINTWISE)) >= 15, ran


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ENGINES if name != "m 4"])
def test_random_layers_of_every_format(csim, rng, name):
    assert check_layers(csim, rng, engine(name), 60)[WINOGRAD] > 10


@pytest.mark.slow
@pytest.mark.rtlsim
def test_two_hundred_random_layers_at_rtl_too(csim, rng, simulator_tools):
    with RtlsimDevice(DeviceOptions(memory_bytes=MEMORY_BYTES)) as rtlsim:
        check_layers(csim, rng, engine("m 4"), 200, rtlsim)


@pytest.mark.slow
@pytest.mark.rtlsim
@pytest.mark.parametrize("network", NETWORKS)
def test_every_convolution_of_the_networks(simulator_tools, rng, network):
    """Golden, csim and rtlsim, on random weights and maps over the whole range, one picture."""
    pipeline, options = MixedPipeline(load_model(network)), DeviceOptions(memory_bytes=2**28)
    compared = 0
    with CsimDevice(options) as csim, RtlsimDevice(options) as rtlsim:
        for device in (csim, rtlsim):
            device.program(pipeline.engine.design())
        for layer in pipeline.spec.layers:
            if layer.type not in CONVOLUTION_TYPES or layer.type == "InnerProduct":
                continue
            view = ConvolutionView(layer=layer, bottom=pipeline.shapes[layer.bottoms[0]])
            convolution = whole_range_convolution(rng, view)
            maps = whole_range(rng, view.maps.dims, np.dtype(np.int8))
            job, expected = pipeline.engine.job(layer.name, convolution, view.maps), convolution.golden(maps)
            for device in (csim, rtlsim):
                np.testing.assert_array_equal(run_job(device, job, maps)[0], expected,
                                              err_msg=f"{layer.name} on {device.name}")
            compared += 1
    assert compared >= 2


def whole_range_convolution(rng: np.random.Generator, view: ConvolutionView) -> IntegerConvolution:
    filters, channels = view.filters, view.maps.dims[1] // view.group
    taps = channels * view.kernel[0] * view.kernel[1]
    return IntegerConvolution(
        weight=whole_range(rng, (filters, channels, *view.kernel), np.dtype(np.int8)),
        bias=rng.integers(-2**12, 2**12, filters).astype(np.int32),
        multiplier=rng.integers(2**15, 2**16, filters).astype(np.uint16),
        shift=np.full(filters, 24 + int(np.log2(taps) / 2), np.uint8), pad=view.pad, stride=view.stride,
        dilation=view.dilation, group=view.group, relu=bool(view.layer.fused))


def constant_scale(rng: np.random.Generator, filters: int, channels: int, group: int = 1) -> IntegerConvolution:
    """A 3 x 3 convolution of pad 1."""
    return IntegerConvolution(
        weight=whole_range(rng, (filters, channels // group, 3, 3), np.dtype(np.int8)), group=group,
        bias=np.zeros(filters, np.int32), multiplier=np.full(filters, 40000, np.uint16),
        shift=np.full(filters, 27, np.uint8), pad=(1, 1, 1, 1))


def test_a_layer_that_does_not_fit_names_the_limit():
    taken = Winograd.from_fields({"m": 4, "pc": 1, "pk": 1, "buffer_words": 8, "largest_taps": 131071})
    convolution = IntegerConvolution(
        weight=np.ones((1, 100, 3, 3), np.int8), bias=np.zeros(1, np.int32), multiplier=np.ones(1, np.uint16),
        shift=np.zeros(1, np.uint8))
    job = taken.job("wide", convolution, TensorShape((1, 100, 6, 6)))
    with pytest.raises(LayerError) as caught:
        ConvolutionCalls(job=job).calls()
    assert str(caught.value) == (
        "layer 'wide': no block of it fits the HLS kernel 'winograd_convolution': the window of the narrowest block "
        "takes 100 words or more, the buffer has 8 (buffer_words of the configuration)")
