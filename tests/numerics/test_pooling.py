"""Integer pooling against nested loops with exact fractions, and against the float layer."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cortado.errors import ConfigurationError, GraphError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.pooling import Pooling, PoolingParameters, PoolMethod, RoundMode
from cortado.numerics.pooling import IntegerPooling, PoolingKind


def float_layer(pooling: IntegerPooling, shape: tuple[int, ...]) -> Pooling:
    """The host's layer of the same window."""
    parameters = {"pool": PoolMethod.MAX if pooling.kind is PoolingKind.MAX else PoolMethod.AVE,
                  "round_mode": RoundMode.CEIL if pooling.round_up else RoundMode.FLOOR}
    if pooling.kernel is None:
        parameters |= {"global_pooling": True}
    else:
        for name, pair in (("kernel", pooling.kernel), ("stride", pooling.stride), ("pad", pooling.pad)):
            parameters |= {f"{name}_h": pair[0], f"{name}_w": pair[1]}
    spec = LayerSpec(name="x", type="Pooling", bottoms=("b0",), tops=("t0",),
                     parameters=PoolingParameters(**parameters))
    return Pooling(spec, (TensorShape(shape),))


def naive(pooling: IntegerPooling, x: np.ndarray, out: tuple[int, int]) -> np.ndarray:
    """Window by window, numbers one at a time; an average by its documented multiplier, as an exact fraction."""
    batch, channels, height, width = x.shape
    kernel = pooling.kernel or (height, width)
    result = np.zeros((batch, channels, *out), np.int8)
    for n, c, p, q in np.ndindex(result.shape):
        top, left = p * pooling.stride[0] - pooling.pad[0], q * pooling.stride[1] - pooling.pad[1]
        bottom = min(top + kernel[0], height + pooling.pad[0])
        right = min(left + kernel[1], width + pooling.pad[1])
        numbers = [int(x[n, c, row, column]) for row in range(max(top, 0), min(bottom, height))
                   for column in range(max(left, 0), min(right, width))]
        if pooling.kind is PoolingKind.MAX:
            result[n, c, p, q] = max(numbers)
            continue
        factor = pooling.factor / ((bottom - top) * (right - left))
        shift = 0
        while factor * 2**shift < 2**15 - 0.25:  # sixteen bits after rounding
            shift += 1
        value = round(Fraction(sum(numbers) * round(Fraction(factor) * 2**shift), 2**shift))
        result[n, c, p, q] = min(max(value, -128), 127)
    return result


@st.composite
def poolings(draw: st.DrawFn) -> tuple[IntegerPooling, tuple[int, ...]]:
    """Any pooling with the shape of maps it can take."""
    size = draw(st.tuples(st.integers(1, 11), st.integers(1, 11)))
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), *size)
    kind = draw(st.sampled_from(PoolingKind))
    factor = 1.0 if kind is PoolingKind.MAX else draw(st.floats(0.1, 30))
    if draw(st.integers(0, 5)) == 0:
        return IntegerPooling(kind=kind, kernel=None, factor=factor), shape
    kernel, stride, pad = (draw(st.tuples(st.integers(low, high), st.integers(low, high)))
                           for low, high in ((1, 5), (1, 4), (0, 3)))
    assume(all(p < k <= n + 2 * p for n, k, p in zip(size, kernel, pad, strict=True)))
    pooling = IntegerPooling(kind=kind, kernel=kernel, stride=stride, pad=pad, round_up=draw(st.booleans()),
                             factor=factor)
    # A last window that starts beyond a map without padding is refused: see below.
    assume(any(pad) or not pooling.round_up
           or all(-(-(n - k) // s) * s < n for n, k, s in zip(size, kernel, stride, strict=True)))
    return pooling, shape


@settings(deadline=None)
@given(poolings(), st.integers(0, 99), st.sampled_from(["random", "lowest", "highest"]))
def test_equals_nested_loops_and_has_the_layers_size(
        case: tuple[IntegerPooling, tuple[int, ...]], seed: int, fill: str) -> None:
    pooling, shape = case
    x = {"random": np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8),
         "lowest": np.full(shape, -128, np.int8), "highest": np.full(shape, 127, np.int8)}[fill]
    layer = float_layer(pooling, shape)
    (expected,) = layer(torch.from_numpy(x).float())
    result = pooling.golden(x)
    assert result.dtype == np.int8
    assert pooling.output_size(shape[2:]) == tuple(expected.shape[2:])
    np.testing.assert_array_equal(result, naive(pooling, x, tuple(expected.shape[2:])))
    if pooling.kind is PoolingKind.MAX:
        np.testing.assert_array_equal(result, expected.numpy())
    else:
        # Off by at most the half that rounding takes and what sixteen bits leave of the factor.
        exact = np.clip(expected.numpy() * pooling.factor, -128, 127)
        np.testing.assert_array_less(np.abs(result - exact), 0.501 + 128 * 2**-15 * pooling.factor)


@pytest.mark.parametrize(("kernel", "stride", "pad", "size", "out"), [
    ((2, 2), (2, 2), (0, 0), (224, 224), (112, 112)),  # VGG
    ((3, 3), (2, 2), (0, 0), (55, 55), (27, 27)),  # AlexNet
    ((3, 3), (2, 2), (0, 0), (112, 112), (56, 56)),  # GoogLeNet: rounds up
    ((3, 3), (1, 1), (1, 1), (28, 28), (28, 28)),  # GoogLeNet's inceptions
    ((7, 7), (1, 1), (0, 0), (7, 7), (1, 1)),  # GoogLeNet's last
    (None, (1, 1), (0, 0), (14, 13), (1, 1)),  # SqueezeNet's last
    ((2, 2), (2, 2), (1, 1), (3, 3), (2, 2)),  # the third window would start beyond the bottom
])
def test_sizes_of_known_layers(kernel, stride, pad, size, out):
    pooling = IntegerPooling(kind=PoolingKind.MAX, kernel=kernel, stride=stride, pad=pad)
    assert pooling.output_size(size) == out
    assert pooling.golden(np.zeros((1, 1, *size), np.int8)).shape == (1, 1, *out)


def test_an_average_divides_by_what_lies_within_the_padded_map() -> None:
    # 4 x 4, kernel 3, stride 2, pad 1: windows of 3 rows and columns, the last ones of 2 (one of them padding).
    pooling = IntegerPooling(kind=PoolingKind.AVERAGE, kernel=(3, 3), stride=(2, 2), pad=(1, 1))
    assert pooling.output_size((4, 4)) == (3, 3)
    assert pooling.last_window((4, 4)) == (2, 2)
    x = np.full((1, 1, 4, 4), 36, np.int8)
    # Numbers of the map in each window: 2 3 1 a side; divisors 3 3 2 a side.
    counts, divisors = np.array([2, 3, 1]), np.array([3, 3, 2])
    expected = 36 * np.outer(counts, counts) / np.outer(divisors, divisors)
    np.testing.assert_array_equal(pooling.golden(x)[0, 0], expected)
    assert [round(1 / real, 3) for real in pooling.requantize((4, 4)).real] == [9, 6, 6, 4]


def test_a_half_goes_to_the_even_number() -> None:
    pooling = IntegerPooling(kind=PoolingKind.AVERAGE, kernel=(1, 2), stride=(1, 2))
    x = np.array([1, 2, 2, 3, -1, -2, -2, -3, -128, -127, 127, 126], np.int8).reshape(1, 1, 1, -1)
    assert pooling.golden(x).ravel().tolist() == [2, 2, -2, -2, -128, 126]


@example(2.0, 127)
@example(0.5, -64)
@given(st.floats(0.01, 100), st.integers(-128, 127))
def test_an_average_of_equal_numbers_is_scaled(factor: float, number: int) -> None:
    pooling = IntegerPooling(kind=PoolingKind.AVERAGE, kernel=None, factor=factor)
    result = int(pooling.golden(np.full((1, 1, 4, 4), number, np.int8))[0, 0, 0, 0])
    exact = min(max(number * factor, -128), 127)
    assert abs(result - exact) <= 0.5 + 128 * 2**-15 * factor


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"kernel": (0, 2)}, GraphError, "kernel must be (vertical, horizontal), each at least 1, not (0, 2)"),
    ({"stride": (1, 0)}, GraphError, "stride must be (vertical, horizontal), each at least 1, not (1, 0)"),
    ({"pad": (1, 2)}, GraphError,
     "pad must be (vertical, horizontal), at least 0 and smaller than the kernel (2, 2), not (1, 2)"),
    ({"pad": (0, -1)}, GraphError,
     "pad must be (vertical, horizontal), at least 0 and smaller than the kernel (2, 2), not (0, -1)"),
    ({"kernel": None, "stride": (2, 2)}, GraphError,
     "global pooling must have stride 1 and pad 0, not stride (2, 2) and pad (0, 0)"),
    ({"factor": 0.0}, ConfigurationError, "factor must be finite and above 0, not 0.0"),
    ({"factor": float("nan")}, ConfigurationError, "factor must be finite and above 0, not nan"),
    ({"factor": 2.0}, ConfigurationError, "a maximum keeps its scale; factor must be 1, not 2.0"),
])
def test_what_is_refused(change: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(f'integer pooling: {message}')}$"):
        IntegerPooling(**{"kind": PoolingKind.MAX, "kernel": (2, 2), **change})


def test_maps_that_are_refused() -> None:
    pooling = IntegerPooling(kind=PoolingKind.MAX, kernel=(2, 2), stride=(3, 3))
    with pytest.raises(GraphError, match=re.escape("the padded height must be at least the kernel's 2, not 1")):
        pooling.output_size((1, 5))
    message = "the last window along the width must start inside the map: stride 3 skips its end (size 3, kernel 2)"
    with pytest.raises(GraphError, match=re.escape(message)):
        pooling.output_size((2, 3))
    message = "the input must be int8 of shape (N, C, H, W), not float64 of shape (1, 1, 2, 2)"
    with pytest.raises(GraphError, match=re.escape(message)):
        pooling.golden(np.zeros((1, 1, 2, 2)))
