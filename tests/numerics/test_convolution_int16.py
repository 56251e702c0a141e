"""The integer convolution on maps of int16, against nested loops over Python's whole numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.errors import ConfigurationError, GraphError, WeightsError
from cortado.numerics.convolution import LARGEST_TAPS, IntegerConvolution

FORMATS = (8, 16)  # bits of the weights
FILLS = ("random", "lowest", "highest", "alternating")
LOW, HIGH = -(2**15), 2**15 - 1


def filled(kind: str, shape: tuple[int, ...], bits: int, rng: np.random.Generator) -> np.ndarray:
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if kind == "random":
        return rng.integers(lowest, highest + 1, shape).astype(f"int{bits}")
    odd = np.indices(shape).sum(0) % 2
    return np.where({"lowest": 0 * odd, "highest": 0 * odd + 1, "alternating": odd}[kind], highest, lowest).astype(
        f"int{bits}")


def naive(x: np.ndarray, convolution: IntegerConvolution, slope: int | None) -> np.ndarray:
    """Sum, bias, factor, saturation and rectifier of every output, in Python's whole numbers and fractions."""
    top, _, left, _ = convolution.pad
    weight, group = convolution.weight, convolution.group
    result = np.zeros(convolution.output_shape(x.shape), np.int64)
    for n, k, p, q in np.ndindex(result.shape):
        total, first = int(convolution.bias[k]), k // (len(weight) // group) * weight.shape[1]
        for c, r, s in np.ndindex(weight.shape[1:]):
            y_in = p * convolution.stride[0] + r * convolution.dilation[0] - top
            x_in = q * convolution.stride[1] + s * convolution.dilation[1] - left
            if 0 <= y_in < x.shape[2] and 0 <= x_in < x.shape[3]:
                total += int(x[n, first + c, y_in, x_in]) * int(weight[k, c, r, s])
        value = round(Fraction(total * int(convolution.multiplier[k]), 2 ** int(convolution.shift[k])))
        value = min(max(value, LOW), HIGH)
        if slope is not None and value < 0:
            value = round(Fraction(value * slope, 256))
        result[n, k, p, q] = value
    return result


@st.composite
def layers(draw: st.DrawFn) -> tuple[np.ndarray, IntegerConvolution, int | None]:
    weight_bits, group = draw(st.sampled_from(FORMATS)), draw(st.integers(1, 2))
    shape = draw(st.integers(1, 2)), group * draw(st.integers(1, 3)), draw(st.integers(1, 6)), draw(st.integers(1, 6))
    kernel = tuple(draw(st.integers(1, min(size, 3))) for size in shape[2:])
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    filters = group * draw(st.integers(1, 2))
    weight = filled(draw(st.sampled_from(FILLS)), (filters, shape[1] // group, *kernel), weight_bits, rng)
    slope = draw(st.none() | st.integers(0, 255))
    # Shifts around the one that brings the largest sum to the ends of int16, and any.
    usual = weight_bits + 16 + weight[0].size.bit_length()
    return filled(draw(st.sampled_from(FILLS)), shape, 16, rng), IntegerConvolution(
        weight=weight, bias=rng.integers(-(2**31), 2**31, filters).astype(np.int32),
        multiplier=rng.integers(2**15, 2**16, filters).astype(np.uint16),
        shift=np.where(rng.random(filters) < 0.5, rng.integers(usual - 4, usual + 4, filters),
                       rng.integers(0, 49, filters)).astype(np.uint8),
        pad=tuple(draw(st.tuples(*[st.integers(0, 2)] * 4))), stride=draw(st.tuples(*[st.integers(1, 3)] * 2)),
        group=group, relu=slope is not None, slope=slope or 0, data_bits=16), slope


@settings(deadline=None)
@given(layers())
def test_any_layer_equals_nested_loops(drawn: tuple) -> None:
    x, convolution, slope = drawn
    result = convolution.golden(x)
    assert result.dtype == np.int16
    np.testing.assert_array_equal(result, naive(x, convolution, slope))


def layer(weight: np.ndarray, **fields: object) -> IntegerConvolution:
    """A layer of these weights whose other fields do nothing unless given."""
    neutral = {"bias": np.zeros(len(weight), np.int32), "multiplier": np.full(len(weight), 2**15, np.uint16),
               "shift": np.full(len(weight), 15, np.uint8), "data_bits": 16}
    return IntegerConvolution(weight=weight, **(neutral | fields))


@pytest.mark.parametrize("weight_bits", FORMATS)
@pytest.mark.parametrize("data", FILLS)
@pytest.mark.parametrize("value", FILLS)
def test_sums_are_exact_at_the_extremes(weight_bits: int, data: str, value: str) -> None:
    """All equal, and alternating so that every product has the same sign; 512 channels in several pieces."""
    rng = np.random.default_rng(40)
    x, weight = (filled(fill, (1, 512, 3, 3), bits, rng) for fill, bits in ((data, 16), (value, weight_bits)))
    expected = sum(a * b for a, b in zip(x.ravel().tolist(), weight.ravel().tolist(), strict=True))
    assert layer(weight).accumulate(x).item() == expected


@pytest.mark.parametrize("weight_bits", FORMATS)
def test_five_products_beyond_float32_are_exact(weight_bits: int) -> None:
    """Four products of 2**22 and one of 1: odd, and above 2**24."""
    x, weight = np.full((1, 5, 1, 1), LOW, np.int16), np.full((1, 5, 1, 1), -(2**7), f"int{weight_bits}")
    x[0, -1] = weight[0, -1] = 1
    assert layer(weight).accumulate(x).item() == 2**24 + 1


@pytest.mark.parametrize("bias", [-(2**31), 2**31 - 1])
@pytest.mark.parametrize("value", [LOW, HIGH])
def test_golden_holds_the_largest_sum_and_bias(bias: int, value: int) -> None:
    """49 bits of sum and 65 of product, one of which only the sign needs."""
    weight, x = np.full((1, LARGEST_TAPS, 1, 1), value, np.int16), np.full((1, LARGEST_TAPS, 1, 1), LOW, np.int16)
    for shift in (47, 48):
        result = layer(weight, bias=np.array([bias], np.int32), multiplier=np.array([2**16 - 1], np.uint16),
                       shift=np.array([shift], np.uint8)).golden(x)
        exact = round(Fraction((LARGEST_TAPS * LOW * value + bias) * (2**16 - 1), 2**shift))
        assert result.item() == min(max(exact, LOW), HIGH)


def test_formats_that_do_not_fit_are_refused() -> None:
    kernels = (1, 1, 3, 3)
    with pytest.raises(WeightsError, match=r"^integer convolution: weight must be int8 of shape \(K, C, R, S\), none "
                                           r"of them 0, not int16 of shape \(1, 1, 3, 3\)$"):
        layer(np.ones(kernels, np.int16), data_bits=8)
    with pytest.raises(WeightsError, match=r"^integer convolution: weight must be int8 or int16 of shape"):
        layer(np.ones(kernels, np.int32))
    with pytest.raises(ConfigurationError, match=r"^integer convolution: data_bits must be 8 or 16, not 12$"):
        layer(np.ones(kernels, np.int8), data_bits=12)
    with pytest.raises(GraphError, match=r"^integer convolution: the input must be int16, not int8$"):
        layer(np.ones(kernels, np.int8)).golden(np.zeros((1, 1, 3, 3), np.int8))
