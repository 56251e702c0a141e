"""The integer convolution against nested loops over Python's whole numbers, and against torch in float64."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.errors import ConfigurationError, GraphError, WeightsError
from cortado.numerics import convolution
from cortado.numerics.convolution import EXACT_PRODUCTS, LARGEST_TAPS, IntegerConvolution, Pad, Pair

LOW, HIGH = -128, 127


def layer(weight: np.ndarray, **fields: object) -> IntegerConvolution:
    """A layer of these weights whose other fields do nothing unless given."""
    channels = len(weight)
    neutral = {"bias": np.zeros(channels, np.int32), "multiplier": np.full(channels, 2**15, np.uint16),
               "shift": np.full(channels, 15, np.uint8)}
    return IntegerConvolution(weight=weight, **(neutral | fields))


def int8(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(LOW, HIGH + 1, shape).astype(np.int8)


def naive_sums(x: np.ndarray, weight: np.ndarray, pad: Pad = (0, 0, 0, 0), stride: Pair = (1, 1),
               dilation: Pair = (1, 1), group: int = 1) -> np.ndarray:
    """Seven nested loops, slow and obvious."""
    top, bottom, left, right = pad
    count, _, height, width = x.shape
    kernels, channels, rows, columns = weight.shape
    out_height = (height + top + bottom - ((rows - 1) * dilation[0] + 1)) // stride[0] + 1
    out_width = (width + left + right - ((columns - 1) * dilation[1] + 1)) // stride[1] + 1
    sums = np.zeros((count, kernels, out_height, out_width), np.int64)
    for n, k, p, q in np.ndindex(sums.shape):
        first = k // (kernels // group) * channels
        for c, r, s in np.ndindex(channels, rows, columns):
            y_in = p * stride[0] + r * dilation[0] - top
            x_in = q * stride[1] + s * dilation[1] - left
            if 0 <= y_in < height and 0 <= x_in < width:
                sums[n, k, p, q] += int(x[n, first + c, y_in, x_in]) * int(weight[k, c, r, s])
    return sums


def torch_sums(x: np.ndarray, weight: np.ndarray, pad: Pad, stride: Pair = (1, 1), dilation: Pair = (1, 1),
               group: int = 1) -> np.ndarray:
    """float64 holds every sum exactly, so torch's order of addition does not matter."""
    top, bottom, left, right = pad
    padded = torch.nn.functional.pad(torch.tensor(x, dtype=torch.float64), (left, right, top, bottom))
    return torch.nn.functional.conv2d(padded, torch.tensor(weight, dtype=torch.float64), stride=stride,
                                      dilation=dilation, groups=group).numpy().astype(np.int64)


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)),
    kernels=st.integers(1, 3),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    pad=st.tuples(*[st.integers(0, 2)] * 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_sums_equal_nested_loops(shape: tuple, kernels: int, kernel: tuple, pad: Pad, seed: int) -> None:
    rng = np.random.default_rng(seed)
    _, channels, height, width = shape
    top, bottom, left, right = pad
    kernel = (min(kernel[0], height + top + bottom), min(kernel[1], width + left + right))
    x, weight = int8(rng, *shape), int8(rng, kernels, channels, *kernel)
    sums = layer(weight, pad=pad).accumulate(x)
    assert sums.dtype == np.int64
    np.testing.assert_array_equal(sums, naive_sums(x, weight, pad))


def fields_that_fit(draw: st.DrawFn, height: int, width: int, largest_kernel: int) -> dict:
    """Stride, dilation, pad and a kernel whose window is no larger than the padded map."""
    pad = draw(st.tuples(*[st.integers(0, 4)] * 4))
    stride, dilation = draw(st.tuples(*[st.integers(1, 4)] * 2)), draw(st.tuples(*[st.integers(1, 3)] * 2))
    sizes = (height + pad[0] + pad[1], width + pad[2] + pad[3])
    kernel = tuple(draw(st.integers(1, min(largest_kernel, (size - 1) // step + 1)))
                   for size, step in zip(sizes, dilation, strict=True))
    return {"kernel": kernel, "pad": pad, "stride": stride, "dilation": dilation}


@st.composite
def small_layers(draw: st.DrawFn) -> tuple[tuple, int, dict]:
    """A shape (N, C, H, W), a number of kernels, and all other fields."""
    group = draw(st.integers(1, 3))
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    shape = (draw(st.integers(1, 3)), group * draw(st.integers(1, 2)), height, width)
    return shape, group * draw(st.integers(1, 2)), {"group": group, **fields_that_fit(draw, height, width, 4)}


@st.composite
def large_layers(draw: st.DrawFn) -> tuple[tuple, int, dict]:
    """As `small_layers`, in the sizes of networks."""
    group = draw(st.sampled_from([1, 1, 2, 8, 32]))
    height, width = draw(st.integers(1, 80)), draw(st.integers(1, 80))
    channels = draw(st.integers(1, 600 // group if height * width < 400 else 32 // group))
    shape = (draw(st.integers(1, 8 if height * width < 400 else 2)), group * channels, height, width)
    return shape, group * draw(st.integers(1, 4)), {"group": group, **fields_that_fit(draw, height, width, 11)}


def drawn(case: tuple[tuple, int, dict], seed: int) -> tuple[np.ndarray, np.ndarray, dict]:
    """Maps, weights and the fields of the layer beside them."""
    shape, kernels, fields = case
    rng = np.random.default_rng(seed)
    kernel = fields.pop("kernel")
    return int8(rng, *shape), int8(rng, kernels, shape[1] // fields["group"], *kernel), fields


@settings(deadline=None)
@given(case=small_layers(), seed=st.integers(0, 2**32 - 1))
def test_any_layer_equals_nested_loops(case: tuple, seed: int) -> None:
    x, weight, fields = drawn(case, seed)
    convolution_layer = layer(weight, **fields)
    expected = naive_sums(x, weight, **fields)
    assert convolution_layer.output_shape(x.shape) == expected.shape
    assert convolution_layer.in_channels == x.shape[1]
    np.testing.assert_array_equal(convolution_layer.accumulate(x), expected)


@settings(deadline=None)
@given(case=large_layers(), seed=st.integers(0, 2**32 - 1))
def test_any_large_layer_equals_torch(case: tuple, seed: int) -> None:
    x, weight, fields = drawn(case, seed)
    np.testing.assert_array_equal(layer(weight, **fields).accumulate(x), torch_sums(x, weight, **fields))


@pytest.mark.parametrize(
    ("shape", "kernels", "kernel", "fields"),
    [
        ((1, 3, 227, 227), 8, (11, 11), {"stride": (4, 4)}),
        ((2, 96, 27, 27), 32, (5, 5), {"pad": (2, 2, 2, 2), "group": 2}),
        ((1, 3, 224, 224), 8, (7, 7), {"stride": (2, 2), "pad": (3, 3, 3, 3)}),
        ((1, 256, 28, 28), 32, (1, 1), {}),
        ((2, 64, 56, 56), 32, (1, 1), {"stride": (2, 2)}),
        ((1, 64, 33, 33), 64, (3, 3), {"group": 64, "pad": (1, 1, 1, 1)}),
        ((1, 24, 40, 31), 16, (3, 3), {"dilation": (2, 2), "pad": (2, 2, 2, 2)}),
        ((8, 2304, 1, 1), 40, (1, 1), {}),
    ],
    ids=str,
)
def test_layers_of_known_networks_equal_torch(shape: tuple, kernels: int, kernel: tuple, fields: dict) -> None:
    rng = np.random.default_rng(23)
    x, weight = int8(rng, *shape), int8(rng, kernels, shape[1] // fields.get("group", 1), *kernel)
    np.testing.assert_array_equal(layer(weight, **fields).accumulate(x),
                                  torch_sums(x, weight, **({"pad": (0, 0, 0, 0)} | fields)))


def test_an_inner_product_is_a_one_by_one_kernel() -> None:
    rng = np.random.default_rng(24)
    x, weight = int8(rng, 5, 3000), int8(rng, 7, 3000)
    sums = layer(weight[:, :, None, None]).accumulate(x[:, :, None, None])
    np.testing.assert_array_equal(sums[:, :, 0, 0], x.astype(np.int64) @ weight.astype(np.int64).T)


def test_weights_too_many_to_keep_give_the_same_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(25)
    x, weight = int8(rng, 3, 2500, 1, 2), int8(rng, 4, 2500, 1, 1)
    kept = layer(weight).accumulate(x)
    monkeypatch.setattr(convolution, "LARGEST_KEPT", 0)
    np.testing.assert_array_equal(layer(weight).accumulate(x), kept)
    np.testing.assert_array_equal(kept, torch_sums(x, weight, (0, 0, 0, 0)))


@pytest.mark.parametrize("channels", [1, 113, 114, 512])
@pytest.mark.parametrize("data", [LOW, HIGH, "alternating"])
@pytest.mark.parametrize("value", [LOW, HIGH, "alternating"])
def test_sums_are_exact_at_the_extremes(channels: int, data: int | str, value: int | str) -> None:
    """All equal, and alternating so that every product has the same sign; 114 channels pass 1024 products."""
    def filled(size: int, entry: int | str) -> np.ndarray:
        pattern = np.where(np.arange(size) % 2, HIGH, LOW) if entry == "alternating" else np.full(size, entry)
        return pattern.astype(np.int8)

    x = filled(channels * 9, data).reshape(1, channels, 3, 3)
    weight = filled(channels * 9, value).reshape(1, channels, 3, 3)
    expected = sum(a * b for a, b in zip(x.ravel().tolist(), weight.ravel().tolist(), strict=True))
    assert layer(weight).accumulate(x).item() == expected


def test_a_sum_float32_cannot_hold_is_exact() -> None:
    """One product more than float32 counts through: 1024 * 2**14 + 1 is odd and above 2**24."""
    taps = np.full((1, EXACT_PRODUCTS + 1, 1, 1), LOW, np.int8)
    taps[0, -1] = 1
    x = taps.copy()
    assert layer(taps).accumulate(x).item() == 2**24 + 1


def test_the_largest_layer_fills_the_accumulator() -> None:
    weight = np.full((1, LARGEST_TAPS, 1, 1), LOW, np.int8)
    assert layer(weight).accumulate(weight).item() == LARGEST_TAPS * 2**14 == 2**31 - 2**14


@pytest.mark.parametrize(
    ("shape", "kernels", "kernel", "pad"),
    [
        ((1, 64, 56, 56), 16, (3, 3), (1, 1, 1, 1)),
        ((1, 300, 14, 14), 32, (3, 3), (1, 1, 1, 1)),
        ((5, 16, 8, 8), 8, (3, 3), (1, 1, 1, 1)),
        ((200, 3, 8, 8), 4, (3, 3), (1, 1, 1, 1)),
        ((2, 3, 90, 71), 4, (5, 3), (0, 2, 1, 0)),
        ((1, 2, 2, 5000), 3, (2, 2), (0, 0, 0, 0)),
        ((3, 40, 1, 1), 20, (3, 3), (1, 1, 1, 1)),
        ((4, 20, 1, 1), 10, (1, 1), (0, 0, 0, 0)),
    ],
)
def test_sums_of_whole_layers_equal_torch(shape: tuple, kernels: int, kernel: tuple, pad: Pad) -> None:
    rng = np.random.default_rng(20)
    x, weight = int8(rng, *shape), int8(rng, kernels, shape[1], *kernel)
    np.testing.assert_array_equal(layer(weight, pad=pad).accumulate(x), torch_sums(x, weight, pad))


@pytest.mark.parametrize("block", [1, 7, 30, 100, 1000])
def test_sums_do_not_depend_on_how_the_work_is_cut(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "BLOCK", block)
    rng = np.random.default_rng(21)
    x, weight = int8(rng, 5, 4, 6, 5), int8(rng, 4, 2, 3, 3)
    for fields in ({"pad": (1, 1, 1, 1)}, {"pad": (1, 0, 2, 1), "stride": (2, 3)}, {"dilation": (2, 1)}):
        np.testing.assert_array_equal(layer(weight, group=2, **fields).accumulate(x),
                                      naive_sums(x, weight, group=2, **fields))


@pytest.mark.parametrize(("relu", "slope"), [(False, 0), (True, 0), (True, 1), (True, 26), (True, 255)])
@pytest.mark.parametrize("channels", [3, 200])
def test_golden_adds_the_bias_rounds_saturates_and_clips(relu: bool, slope: int, channels: int) -> None:
    rng = np.random.default_rng(22)
    x, weight = int8(rng, 2, channels, 5, 4), int8(rng, 6, channels, 3, 3)
    bias = rng.integers(-(2**31), 2**31, 6).astype(np.int32)
    bias[2:] >>= 12
    multiplier = rng.integers(2**15, 2**16, 6).astype(np.uint16)
    shift = np.array([41, 40, 28, 27, 26, 0], np.uint8)
    convolution_layer = layer(weight, bias=bias, multiplier=multiplier, shift=shift, pad=(1, 1, 1, 1), relu=relu,
                              slope=slope)
    result = convolution_layer.golden(x)
    sums = naive_sums(x, weight, (1, 1, 1, 1))
    assert result.dtype == np.int8
    for n, k, p, q in np.ndindex(result.shape):
        total = int(sums[n, k, p, q]) + int(bias[k])
        expected = min(max(round(Fraction(total * int(multiplier[k]), 2 ** int(shift[k]))), LOW), HIGH)
        if relu and expected < 0:
            expected = round(Fraction(expected * slope, 256))
        assert result[n, k, p, q] == expected
    assert len(np.unique(result)) > 20


@pytest.mark.parametrize("bias", [-(2**31), 2**31 - 1])
@pytest.mark.parametrize("value", [LOW, HIGH])
def test_golden_holds_the_largest_sum_and_bias(bias: int, value: int) -> None:
    weight = np.full((1, LARGEST_TAPS, 1, 1), value, np.int8)
    x = np.full(weight.shape, LOW, np.int8)
    registers = {"multiplier": np.array([2**16 - 1], np.uint16), "shift": np.array([42], np.uint8)}
    result = layer(weight, bias=np.array([bias], np.int32), **registers).golden(x)
    assert result.item() == round(Fraction((LARGEST_TAPS * LOW * value + bias) * (2**16 - 1), 2**42))


def test_the_arrays_are_read_only_copies() -> None:
    weight = np.ones((1, 1, 3, 3), np.int8)
    convolution_layer = layer(weight)
    weight[:] = 5
    assert convolution_layer.accumulate(np.ones((1, 1, 3, 3), np.int8)).item() == 9
    for name in ("weight", "bias", "multiplier", "shift"):
        assert not getattr(convolution_layer, name).flags.writeable


def test_the_output_shape_is_known_without_data() -> None:
    convolution_layer = layer(np.ones((5, 3, 3, 2), np.int8), pad=(1, 0, 2, 1))
    assert convolution_layer.output_shape((4, 3, 7, 9)) == (4, 5, 6, 11)
    assert convolution_layer.taps == 18
    assert convolution_layer.kernel == (3, 2)
    assert (convolution_layer.in_channels, convolution_layer.out_channels) == (3, 5)
    grouped = layer(np.ones((4, 3, 11, 11), np.int8), stride=(4, 4), group=2)
    assert grouped.output_shape((2, 6, 227, 227)) == (2, 4, 55, 55)
    assert (grouped.in_channels, grouped.taps, grouped.reach) == (6, 363, (11, 11))


ONES = np.ones((2, 3, 3, 3), np.int8)


@pytest.mark.parametrize(
    ("error", "fields", "message"),
    [
        (WeightsError, {"weight": ONES.astype(np.int16)},
         r"weight must be int8 of shape \(K, C, R, S\), none of them 0, not int16 of shape \(2, 3, 3, 3\)"),
        (WeightsError, {"weight": ONES[0]},
         r"weight must be int8 of shape \(K, C, R, S\), none of them 0, not int8 of shape \(3, 3, 3\)"),
        (WeightsError, {"weight": ONES[:, :0]},
         r"weight must be int8 of shape \(K, C, R, S\), none of them 0, not int8 of shape \(2, 0, 3, 3\)"),
        (WeightsError, {"weight": np.ones((2, 1, 33, 32), np.int8)},
         r"the kernel must have at most 1024 taps, not 33x32"),
        (WeightsError, {"weight": np.ones((2, LARGEST_TAPS + 1, 1, 1), np.int8)},
         r"C \* R \* S must be at most 131071 for a sum of 32 bits, not 131072"),
        (WeightsError, {"bias": np.zeros(3, np.int32)},
         r"bias must be int32 of shape \(2,\), one per output channel, not int32 of shape \(3,\)"),
        (WeightsError, {"bias": np.zeros(2, np.int64)},
         r"bias must be int32 of shape \(2,\), one per output channel, not int64 of shape \(2,\)"),
        (WeightsError, {"multiplier": np.zeros(2, np.int16)},
         r"multiplier must be uint16 of shape \(2,\), one per output channel, not int16 of shape \(2,\)"),
        (WeightsError, {"shift": np.zeros((2, 1), np.uint8)},
         r"shift must be uint8 of shape \(2,\), one per output channel, not uint8 of shape \(2, 1\)"),
        (GraphError, {"pad": (0, 0, -1, 0)},
         r"pad must be \(top, bottom, left, right\), each at least 0, not \(0, 0, -1, 0\)"),
        (GraphError, {"pad": (1, 1)}, r"pad must be \(top, bottom, left, right\), each at least 0, not \(1, 1\)"),
        (GraphError, {"stride": (0, 1)}, r"stride must be \(vertical, horizontal\), each at least 1, not \(0, 1\)"),
        (GraphError, {"dilation": (1, 1, 1)},
         r"dilation must be \(vertical, horizontal\), each at least 1, not \(1, 1, 1\)"),
        (GraphError, {"group": 3}, r"group must divide the 2 output channels, not 3"),
        (GraphError, {"group": 0}, r"group must divide the 2 output channels, not 0"),
        (ConfigurationError, {"relu": True, "slope": 256},
         r"slope must be 0 to 255, and 0 without relu, not 256 with relu"),
        (ConfigurationError, {"slope": 1}, r"slope must be 0 to 255, and 0 without relu, not 1 without relu"),
    ],
)
def test_fields_that_do_not_fit_are_refused(error: type, fields: dict, message: str) -> None:
    with pytest.raises(error, match=rf"^integer convolution: {message}$"):
        layer(**({"weight": ONES} | fields))


def test_a_shift_beyond_its_range_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^requantize: the shift of channel 1 must be 0 to 48, not 49$"):
        layer(ONES, shift=np.array([48, 49], np.uint8))


def test_a_map_smaller_than_the_dilated_kernel_is_refused() -> None:
    with pytest.raises(GraphError, match=r"^integer convolution: the padded map must be at least as large as the "
                                         r"kernel with its dilation, 5x3, not 4x9; enlarge the pad$"):
        layer(ONES, dilation=(2, 1)).output_shape((1, 3, 4, 9))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 4, 5, 5), r"the input must have shape \(N, 3, H, W\), none of them 0, not \(1, 4, 5, 5\)"),
        ((3, 5, 5), r"the input must have shape \(N, 3, H, W\), none of them 0, not \(3, 5, 5\)"),
        ((0, 3, 5, 5), r"the input must have shape \(N, 3, H, W\), none of them 0, not \(0, 3, 5, 5\)"),
        ((1, 3, 2, 5), r"the padded map must be at least as large as the kernel, 3x3, not 2x5; enlarge the pad"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(shape: tuple, message: str) -> None:
    with pytest.raises(GraphError, match=rf"^integer convolution: {message}$"):
        layer(ONES).accumulate(np.zeros(shape, np.int8))


def test_an_input_of_another_type_is_refused() -> None:
    with pytest.raises(GraphError, match=r"^integer convolution: the input must be int8, not float32$"):
        layer(ONES).golden(np.zeros((1, 3, 5, 5), np.float32))
