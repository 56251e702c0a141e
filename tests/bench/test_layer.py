"""The convolutions of a network and the numbers they are run with."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from cortado.bench.layer import layers_of
from cortado.errors import CortadoError


def names(network: str, **options: object) -> list[str]:
    return [layer.name for layer in layers_of(network, **{"batch": 1, **options})]


def test_the_convolutions_of_a_network_in_order():
    assert names("alexnet") == ["conv1", "conv2", "conv3", "conv4", "conv5"]


def test_kinds_are_those_of_the_kernel():
    assert names("alexnet", kind="3x3") == ["conv3", "conv4", "conv5"]
    assert names("nin", kind="1x1") == [f"cccp{number}" for number in (*range(1, 7), "7-1024", "8-1024")]


def test_layers_by_pattern():
    assert names("vgg16", patterns=("conv1_*", "conv3_3")) == ["conv1_1", "conv1_2", "conv3_3"]


def test_a_pattern_nothing_matches_is_an_error():
    message = ("network 'alexnet': a convolution must match 'fc*', none does (it has: conv1, conv2, conv3, conv4, "
               "conv5)")
    with pytest.raises(CortadoError, match=f"^{re.escape(message)}$"):
        layers_of("alexnet", batch=1, patterns=("conv*", "fc*"))


def test_sizes_and_words():
    first, second, third, *_ = layers_of("alexnet", batch=3)
    assert first.words == "3x227x227 -> 96, 11x11/4"
    assert second.words == "96x27x27 -> 256, 5x5 in 2 groups"
    assert third.words == "256x13x13 -> 384, 3x3"
    assert first.geometry.macs == 3 * 55 * 55 * 96 * 3 * 121
    assert second.geometry.macs == 3 * 27 * 27 * 256 * 48 * 25
    assert (first.kind, second.kind, third.kind) == ("other", "other", "3x3")


def test_numbers_fill_int8_and_are_the_layers_own():
    conv4_1, conv4_2 = layers_of("vgg16", batch=1, patterns=("conv4_2", "conv4_3"))
    source = conv4_1.source(0)
    assert (source.dtype, source.shape) == (np.int8, (1, 512, 28, 28))
    assert (source.min(), source.max()) == (-128, 127)
    assert np.array_equal(source, conv4_1.source(0))
    assert not np.array_equal(source, conv4_1.source(1))
    assert not np.array_equal(source, conv4_2.source(0))
    weight = conv4_1.convolution(0).weight
    assert (weight.min(), weight.max()) == (-128, 127)
    assert not np.array_equal(weight, conv4_2.convolution(0).weight)


def test_results_fill_int8():
    for layer in layers_of("alexnet", batch=1, patterns=("conv[235]",)):
        result = layer.convolution(0).golden(layer.source(0))
        assert result.shape == layer.top.dims
        # Three deviations reach the ends.
        assert 35 < result.std() < 55
        assert 0 < np.mean((result == -128) | (result == 127)) < 0.05


@pytest.mark.parametrize(("data_bits", "weight_bits"), [(16, 8), (16, 16)])
def test_numbers_and_results_fill_int16(data_bits, weight_bits):
    (drawn,) = layers_of("alexnet", batch=1, patterns=("conv3",))
    layer = replace(drawn, data_bits=data_bits, weight_bits=weight_bits)
    source, convolution = layer.source(0), layer.convolution(0)
    for numbers, bits in ((source, data_bits), (convolution.weight, weight_bits)):
        assert numbers.dtype == f"int{bits}"
        # Of so many numbers drawn evenly, some lie in the outermost hundredth of either side.
        assert numbers.min() < -0.99 * 2 ** (bits - 1)
        assert numbers.max() > 0.99 * 2 ** (bits - 1)
    assert (convolution.data_bits, convolution.weight_bits) == (data_bits, weight_bits)
    result = convolution.golden(source)
    assert (result.dtype, result.shape) == (np.int16, layer.top.dims)
    # Three deviations reach the ends, a little more or less with the biases and the zeros of the pad.
    assert 0.27 < result.std() / 2**15 < 0.43
    assert 0 < np.mean((result == -(2**15)) | (result == 2**15 - 1)) < 0.05


def test_a_bias_keeps_to_its_32_bits():
    (drawn,) = layers_of("vgg16", batch=1, patterns=("conv5_1",))
    bias = replace(drawn, data_bits=16, weight_bits=16).convolution(0).bias
    assert bias.dtype == np.int32
    # A sum of 512 * 9 products of deviation 2**32 / 12 has one of 2.4e10, beyond 32 bits.
    assert np.abs(bias.astype(np.int64)).max() > 0.95 * 2**31
