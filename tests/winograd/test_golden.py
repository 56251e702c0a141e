"""The staged Winograd convolution against nested loops over Python's whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.errors import GraphError
from cortado.winograd.golden import multiply_accumulate, winograd_convolution
from cortado.winograd.transform import WinogradTransform
from cortado.winograd.width import WinogradWidths


def naive_convolution(x: np.ndarray, weight: np.ndarray, pad: tuple[int, int, int, int]) -> np.ndarray:
    """Six nested loops, slow and obvious."""
    top, bottom, left, right = pad
    count, channels, height, width = x.shape
    kernels, _, rows, columns = weight.shape
    sums = np.zeros((count, kernels, height + top + bottom - rows + 1, width + left + right - columns + 1), np.int64)
    for n, k, p, q in np.ndindex(sums.shape):
        for c, r, s in np.ndindex(channels, rows, columns):
            y_in, x_in = p + r - top, q + s - left
            if 0 <= y_in < height and 0 <= x_in < width:
                sums[n, k, p, q] += int(x[n, c, y_in, x_in]) * int(weight[k, c, r, s])
    return sums


def numbers(rng: np.random.Generator, kind: str, bits: int, shape: tuple[int, ...]) -> np.ndarray:
    """Whole numbers of `bits` bits: random, or one of the extremes that stress a sum most."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    checkerboard = np.indices(shape).sum(axis=0) % 2
    return {
        "random": lambda: rng.integers(low, high + 1, shape),
        "ends": lambda: rng.choice([low, high], shape),
        "low": lambda: np.full(shape, low),
        "high": lambda: np.full(shape, high),
        "alternating": lambda: np.where(checkerboard, high, low),
    }[kind]()


KINDS = st.sampled_from(["random", "ends", "low", "high", "alternating"])


@settings(deadline=None)
@given(
    m=st.sampled_from([2, 3, 4, 5, 6]),
    bits=st.sampled_from([(8, 8), (16, 8), (16, 16)]),
    kinds=st.tuples(KINDS, KINDS),
    shape=st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 8), st.integers(1, 8)),
    kernels=st.integers(1, 2),
    pad=st.tuples(*[st.integers(1, 2)] * 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_algorithm_is_exact_in_accumulators_of_the_derived_width(
        m: int, bits: tuple[int, int], kinds: tuple[str, str], shape: tuple[int, int, int, int], kernels: int,
        pad: tuple[int, int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    transform = WinogradTransform(m)
    channels = shape[1]
    widths = WinogradWidths(transform, *bits, largest_taps=channels * 9)
    x = numbers(rng, kinds[0], bits[0], shape)
    weight = numbers(rng, kinds[1], bits[1], (kernels, channels, 3, 3))
    result = winograd_convolution(x, weight, transform, pad, widths.accumulator_bits)
    np.testing.assert_array_equal(result, naive_convolution(x, weight, pad))


@pytest.mark.parametrize("data", ["low", "high", "alternating", "ends"])
@pytest.mark.parametrize("weights", ["low", "high", "alternating", "ends"])
@pytest.mark.parametrize("m", [2, 4, 6])
def test_512_channels_of_extremes_are_exact(m: int, data: str, weights: str) -> None:
    rng = np.random.default_rng(30)
    transform = WinogradTransform(m)
    x = numbers(rng, data, 8, (1, 512, m + 2, m + 2))
    weight = numbers(rng, weights, 8, (1, 512, 3, 3))
    result = winograd_convolution(x, weight, transform, (0, 0, 0, 0), WinogradWidths(transform).accumulator_bits)
    windows = np.lib.stride_tricks.sliding_window_view(x[0], (3, 3), axis=(1, 2))
    np.testing.assert_array_equal(result[0, 0], (windows * weight[0][:, np.newaxis, np.newaxis]).sum(axis=(0, 3, 4)))


def test_filters_of_other_sizes_are_exact() -> None:
    rng = np.random.default_rng(31)
    for transform in (WinogradTransform(4, 5), WinogradTransform(5, 2)):
        r = transform.r
        x, weight = rng.integers(-128, 128, (2, 3, 9, 8)), rng.integers(-128, 128, (2, 3, r, r))
        widths = WinogradWidths(transform, largest_taps=3 * r * r)
        result = winograd_convolution(x, weight, transform, (1, 1, 1, 1), widths.accumulator_bits)
        np.testing.assert_array_equal(result, naive_convolution(x, weight, (1, 1, 1, 1)))


def test_accumulators_wrap() -> None:
    u = np.full((1, 3, 1, 1), 100)
    v = np.full((3, 1, 1, 1), 1)
    assert multiply_accumulate(u, v, 10).item() == 300
    assert multiply_accumulate(u, v, 9).item() == 300 - 512
    assert multiply_accumulate(u, v, 8).item() == 300 - 256


def test_sums_run_over_channels_and_nothing_else() -> None:
    rng = np.random.default_rng(32)
    u, v = rng.integers(-99, 99, (2, 3, 4, 4)), rng.integers(-99, 99, (3, 5, 4, 4))
    sums = multiply_accumulate(u, v, 64)
    assert sums.shape == (2, 5, 4, 4)
    for k, tile, i, j in np.ndindex(sums.shape):
        assert sums[k, tile, i, j] == sum(int(u[k, c, i, j]) * int(v[c, tile, i, j]) for c in range(3))


@pytest.mark.parametrize(
    ("x_shape", "weight_shape", "message"),
    [
        ((1, 2, 5, 5), (1, 2, 5, 5), r"weight must have shape \(K, C, 3, 3\), not \(1, 2, 5, 5\)"),
        ((1, 2, 5, 5), (2, 3, 3), r"weight must have shape \(K, C, 3, 3\), not \(2, 3, 3\)"),
        ((1, 3, 5, 5), (1, 2, 3, 3), r"the input must have shape \(N, 2, H, W\), N at least 1, not \(1, 3, 5, 5\)"),
        ((0, 2, 5, 5), (1, 2, 3, 3), r"the input must have shape \(N, 2, H, W\), N at least 1, not \(0, 2, 5, 5\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(x_shape: tuple, weight_shape: tuple, message: str) -> None:
    with pytest.raises(GraphError, match=rf"^F\(4x4,3x3\): {message}$"):
        winograd_convolution(np.zeros(x_shape, int), np.zeros(weight_shape, int), WinogradTransform(4), (0,) * 4, 34)
