"""Formats against their formulae, written out in NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cortado.errors import PlanError
from cortado.frontends.prototxt import parse_prototxt
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, NetSpec
from cortado.numerics.fixed_point import FixedPoint
from cortado.planner.quantisation import LayerFormat, blob_scales, quantise_convolution

BOTTOM = TensorShape((1, 2, 8, 8))
INT16 = FixedPoint(width=16)
RELU = 'layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }'


def network(fields: str = "pad: 1") -> NetSpec:
    return parse_prototxt(
        'name: "n" input: "data" input_shape { dim: 1 dim: 2 dim: 8 dim: 8 } layer { name: "conv" type: "Convolution" '
        f'bottom: "data" top: "conv" convolution_param {{ num_output: 3 kernel_size: 3 {fields} }} }} {RELU}')


@pytest.fixture
def layer() -> LayerSpec:
    return network().layer("conv")


@pytest.fixture
def weight(rng: np.random.Generator) -> np.ndarray:
    size = np.array([1, 10, 0.01])[:, None, None, None]
    return (rng.standard_normal((3, 2, 3, 3)) * size).astype(np.float32)


def test_weights_have_a_scale_per_output_channel(layer, weight):
    convolution, layer_format = quantise_convolution(layer, BOTTOM, (weight,), {"data": 0.1, "conv": 0.2})
    for channel, kernels in enumerate(weight.astype(np.float64)):
        scale = np.abs(kernels).max() / 127
        assert layer_format.weight_scales[channel] == scale
        np.testing.assert_array_equal(convolution.weight[channel], np.round(kernels / scale))
        # Each weight is off by half a step at most, and the largest is the end of the range.
        assert np.abs(convolution.weight[channel] * scale - kernels).max() <= scale / 2
        assert np.abs(convolution.weight[channel].astype(int)).max() == 127
    assert convolution.weight.dtype == np.int8


def test_biases_are_in_units_of_the_sums(layer, weight):
    bias = np.array([0.5, -3, 100], np.float32)
    convolution, layer_format = quantise_convolution(layer, BOTTOM, (weight, bias), {"data": 0.1, "conv": 0.2})
    np.testing.assert_array_equal(convolution.bias, np.round(bias / (0.1 * np.array(layer_format.weight_scales))))
    assert (convolution.bias.dtype, layer_format.clipped_biases) == (np.int32, 0)


def test_without_a_bias_it_is_zero(layer, weight):
    np.testing.assert_array_equal(
        quantise_convolution(layer, BOTTOM, (weight,), {"data": 0.1, "conv": 0.2})[0].bias, np.zeros(3))


def test_results_come_back_by_the_nearest_sixteen_bit_factor(layer, weight):
    convolution, layer_format = quantise_convolution(layer, BOTTOM, (weight,), {"data": 0.1, "conv": 0.2})
    wanted = 0.1 * np.array(layer_format.weight_scales) / 0.2
    got = convolution.multiplier / 2.0 ** convolution.shift
    assert (np.abs(got / wanted - 1) <= 2.0**-16).all()
    assert (convolution.multiplier >= 2**15).all()


def test_a_channel_of_zeros(layer, weight):
    weight[1] = 0
    bias = np.array([1, 2, 3], np.float32)
    convolution, layer_format = quantise_convolution(layer, BOTTOM, (weight, bias), {"data": 0.1, "conv": 0.2})
    assert layer_format.weight_scales[1] == 1.0
    assert not convolution.weight[1].any()
    # 2 in units of 0.1 * 1, brought back by 0.1 / 0.2 to 2 in units of 0.2.
    assert (convolution.bias[1], convolution.multiplier[1] / 2.0 ** convolution.shift[1]) == (20, 0.5)
    assert convolution.golden(np.zeros((1, 2, 8, 8), np.int8))[0, 1].tolist() == [[10] * 8] * 8


def test_biases_beyond_32_bits_are_clipped_and_counted(layer, weight):
    bias = np.array([1e9, -1e12, 1], np.float32)
    convolution, layer_format = quantise_convolution(layer, BOTTOM, (weight, bias), {"data": 1e-4, "conv": 0.2})
    assert convolution.bias[:2].tolist() == [2**31 - 1, -2**31]
    assert layer_format.clipped_biases == 2


def test_a_factor_that_is_too_large(layer, weight):
    with pytest.raises(PlanError, match=(
            r"^layer 'conv': requantize: the factor of channel 0 must be at least 0 and below 65535\.5, not \S+$")):
        quantise_convolution(layer, BOTTOM, (weight,), {"data": 1e6, "conv": 1e-6})


@pytest.mark.parametrize(("fields", "pad"), [("", (0, 0, 0, 0)), ("pad: 2", (2, 2, 2, 2)),
                                             ("pad_h: 1 pad_w: 2", (1, 1, 2, 2))])
def test_pads(weight, fields, pad):
    assert quantise_convolution(network(fields).layer("conv"), BOTTOM, (weight,), {"data": 1, "conv": 1})[0].pad == pad


def test_a_fused_relu(layer, weight):
    scales = {"data": 0.1, "conv": 0.2}
    assert not quantise_convolution(layer, BOTTOM, (weight,), scales)[0].relu
    fused = replace(layer, fused=(network().layer("relu"),))
    assert quantise_convolution(fused, BOTTOM, (weight,), scales)[0].relu


def test_stride_dilation_and_groups():
    net = network("pad: 1 stride_h: 2 stride_w: 1 dilation: 3 dilation: 1 group: 1")
    convolution, _ = quantise_convolution(net.layer("conv"), BOTTOM, (np.ones((3, 2, 3, 3), np.float32),),
                                          {"data": 1, "conv": 1})
    assert (convolution.stride, convolution.dilation, convolution.group) == ((2, 1), (3, 1), 1)
    net = network("group: 3")
    convolution, _ = quantise_convolution(net.layer("conv"), TensorShape((1, 6, 8, 8)),
                                          (np.ones((3, 2, 3, 3), np.float32),), {"data": 1, "conv": 1})
    assert (convolution.group, convolution.in_channels) == (3, 6)


@pytest.mark.parametrize("fields", ["", "transpose: true", "axis: -3"])
def test_an_inner_product_is_a_one_by_one_convolution(rng, fields):
    """Over the values of a picture in the order of its memory."""
    net = parse_prototxt('name: "n" input: "data" input_shape { dim: 1 dim: 2 dim: 3 dim: 4 } layer { name: "ip" type: '
                         f'"InnerProduct" bottom: "data" top: "ip" inner_product_param {{ num_output: 5 {fields} }} }}')
    weight = rng.standard_normal((5, 24)).astype(np.float32)
    blob = weight.T if "transpose" in fields else weight
    bottom = TensorShape((1, 2, 3, 4))
    convolution, layer_format = quantise_convolution(net.layer("ip"), bottom, (blob,), {"data": 0.1, "ip": 20.0})
    scales = np.abs(weight.astype(np.float64)).max(axis=1) / 127
    assert layer_format.weight_scales == tuple(scales)
    x = rng.integers(-128, 128, (6, 2, 3, 4)).astype(np.int8)
    sums = convolution.accumulate(x.reshape(6, 24, 1, 1))
    numbers = np.round(weight / scales[:, None]).astype(np.int64)
    np.testing.assert_array_equal(sums[:, :, 0, 0], x.reshape(6, 24).astype(np.int64) @ numbers.T)


@pytest.mark.parametrize(("slope", "numerator", "words"), [(0.0, 0, "ReLU"), (0.1, 26, "leaky ReLU, 26/256"),
                                                           (0.25, 64, "leaky ReLU, 64/256")])
def test_the_slope_of_a_fused_relu(layer, weight, slope, numerator, words):
    relu = parse_prototxt(f'name: "n" input: "x" input_shape {{ dim: 1 }} layer {{ name: "relu" type: "ReLU" bottom: '
                          f'"x" top: "y" relu_param {{ negative_slope: {slope} }} }}').layer("relu")
    convolution, layer_format = quantise_convolution(replace(layer, fused=(relu,)), BOTTOM, (weight,),
                                                     {"data": 0.1, "conv": 0.2})
    assert (convolution.relu, convolution.slope) == (True, numerator)
    assert (layer_format.relu_slope, layer_format.words[3]) == (numerator / 256, words)


def test_a_slope_no_number_of_256ths_is_near_to(layer, weight):
    relu = parse_prototxt('name: "n" input: "x" input_shape { dim: 1 } layer { name: "relu" type: "ReLU" bottom: "x" '
                          'top: "y" relu_param { negative_slope: 1.5 } }').layer("relu")
    with pytest.raises(PlanError, match=(
            r"^layer 'conv': the slope of its ReLU must be from 0 to 255/256 on the FPGA, not 1\.5; keep the layer on "
            r"the host \(--host conv\)$")):
        quantise_convolution(replace(layer, fused=(relu,)), BOTTOM, (weight,), {"data": 0.1, "conv": 0.2})


def test_the_format_in_numbers_and_words(layer, weight):
    layer_format = quantise_convolution(layer, BOTTOM, (weight,), {"data": 0.05, "conv": 0.25})[1]
    low, high = (np.abs(weight[channel]).max() / 127 for channel in (2, 1))
    assert layer_format == LayerFormat(input_bits=8, input_scale=0.05, weight_bits=8,
                                       weight_scales=layer_format.weight_scales, output_bits=8, output_scale=0.25)
    assert layer_format.words == ("int8 x 0.05", f"int8 x {low:.3g} to {high:.3g}", "int8 x 0.25", "")


@pytest.mark.parametrize("weight_bits", [8, 16])
def test_maps_of_int16(layer, weight, weight_bits):
    bias = np.array([0.5, -3, 1], np.float32)
    scales = {"data": 1e-3, "conv": 2e-3}
    convolution, layer_format = quantise_convolution(layer, BOTTOM, (weight, bias), scales, data_bits=16,
                                                     weight_bits=weight_bits)
    assert (layer_format.input_bits, layer_format.weight_bits, layer_format.output_bits) == (16, weight_bits, 16)
    assert (convolution.data_bits, convolution.weight.dtype) == (16, f"int{weight_bits}")
    # Of int16, only the last channel's weights are so small that its bias would not fit.
    largest = 2 ** (weight_bits - 1) - 1
    expected = np.abs(weight).reshape(3, -1).max(axis=1).astype(np.float64) / largest
    kept = 2 if weight_bits == 16 else 3
    np.testing.assert_array_equal(layer_format.weight_scales[:kept], expected[:kept])
    real = np.array(layer_format.weight_scales)
    np.testing.assert_array_equal(convolution.weight, np.round(weight / real[:, None, None, None]))
    np.testing.assert_array_equal(convolution.bias, np.round(bias / (1e-3 * real)))
    factors = convolution.multiplier / 2.0 ** convolution.shift
    assert (np.abs(factors / (1e-3 * real / 2e-3) - 1) <= 2.0**-16).all()


def test_a_bias_that_int16_weights_leave_no_room_for_coarsens_them(layer, weight):
    bias = np.array([0.5, -3, 1000], np.float32)
    convolution, layer_format = quantise_convolution(layer, BOTTOM, (weight, bias), {"data": 1e-3, "conv": 2e-3},
                                                     data_bits=16, weight_bits=16)
    assert (layer_format.clipped_biases, convolution.bias[2]) == (0, 2**31 - 1)
    assert layer_format.weight_scales[2] == pytest.approx(1000 / (1e-3 * (2**31 - 1)), rel=1e-12)
    assert np.abs(convolution.weight[2].astype(int)).max() < 2**15 - 1


def test_the_scale_of_an_int16_blob_is_its_range_over_32767():
    assert blob_scales(network(), {"data": 32767.0, "conv": 1.0}, INT16) == {"data": 1.0, "conv": 1 / 32767}


def test_the_scale_of_a_blob_is_its_range_over_127():
    net = replace(network(), scale_groups=())
    assert blob_scales(net, {"data": 12.7, "conv": 254.0}) == {"data": 12.7 / 127, "conv": 2.0}


def test_a_blob_of_zeros_has_scale_one():
    assert blob_scales(network(), {"data": 0.0, "conv": 127.0}) == {"data": 1.0, "conv": 1.0}


def test_blobs_of_a_group_share_the_widest_range():
    net = replace(network(), scale_groups=(frozenset({"a", "b", "unseen"}),))
    assert blob_scales(net, {"a": 127.0, "b": 254.0, "c": 381.0}) == {"a": 2.0, "b": 2.0, "c": 3.0}
