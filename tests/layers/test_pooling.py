"""Pooling against nested loops written after Caffe's rules, and its sizes against a table of real networks."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from cortado.errors import FieldError, LayerError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.pooling import Pooling, PoolingParameters, PoolMethod, RoundMode


def caffe_size(size, kernel, stride, pad, *, padded_anywhere):
    """Number of windows along one side: rounded up, and clipped where there is padding."""
    count = math.ceil((size + 2 * pad - kernel) / stride) + 1
    if padded_anywhere and (count - 1) * stride >= size + pad:
        count -= 1
    return count


def naive_pooling(x, *, average, kernel, stride, pad):
    """(N, C, H, W) -> (N, C, OH, OW), window by window."""
    batch, channels, height, width = x.shape
    out = [caffe_size(size, k, s, p, padded_anywhere=any(pad))
           for size, k, s, p in zip((height, width), kernel, stride, pad, strict=True)]
    y = np.zeros((batch, channels, *out))
    for n, c, oy, ox in np.ndindex(y.shape):
        top, left = oy * stride[0] - pad[0], ox * stride[1] - pad[1]
        bottom, right = min(top + kernel[0], height + pad[0]), min(left + kernel[1], width + pad[1])
        counted = (bottom - top) * (right - left)
        values = [x[n, c, iy, ix] for iy in range(max(top, 0), min(bottom, height))
                  for ix in range(max(left, 0), min(right, width))]
        y[n, c, oy, ox] = sum(values) / counted if average else max(values)
    return y


def pooling_spec(**parameters):
    return LayerSpec(name="x", type="Pooling", bottoms=("b0",), tops=("t0",),
                     parameters=PoolingParameters(**parameters))


@given(st.data())
def test_equals_nested_loops(data):
    size, kernel, stride, pad = (data.draw(st.tuples(st.integers(low, high), st.integers(low, high)))
                                 for low, high in ((1, 9), (1, 5), (1, 4), (0, 3)))
    assume(all(p < k <= n + 2 * p for n, k, p in zip(size, kernel, pad, strict=True)))
    counts = [caffe_size(n, k, s, p, padded_anywhere=any(pad))
              for n, k, s, p in zip(size, kernel, stride, pad, strict=True)]
    # Without padding Caffe keeps a window that starts beyond the bottom; that is refused, see below.
    assume(all((count - 1) * s - p < n for count, s, p, n in zip(counts, stride, pad, size, strict=True)))
    average = data.draw(st.booleans())
    spec = pooling_spec(pool=PoolMethod.AVE if average else PoolMethod.MAX, kernel_h=kernel[0], kernel_w=kernel[1],
                        stride_h=stride[0], stride_w=stride[1], pad_h=pad[0], pad_w=pad[1])
    x = np.random.default_rng(data.draw(st.integers(0, 99))).standard_normal((2, 3, *size))
    expected = naive_pooling(x, average=average, kernel=kernel, stride=stride, pad=pad)
    shape = TensorShape(x.shape)
    y, = Pooling(spec, (shape,)).double()(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=0, atol=1e-12)
    assert Pooling.shapes(spec, (shape,)) == (TensorShape(expected.shape),)


@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), [
    ((5, 7), (2, 3), (2, 2), (0, 0)), ((6, 5), (3, 3), (2, 1), (1, 2)), ((7, 4), (2, 2), (3, 3), (1, 0))])
def test_places_of_the_maxima(make_layer, rng, size, kernel, stride, pad):
    """Caffe's second top: row * width + column in the bottom, the first of equals."""
    spec = replace(pooling_spec(kernel_h=kernel[0], kernel_w=kernel[1], stride_h=stride[0], stride_w=stride[1],
                                pad_h=pad[0], pad_w=pad[1]), tops=("t0", "t1"))
    x = rng.integers(-4, 4, (2, 3, *size)).astype(np.float64)
    y, places = make_layer(spec, x.shape).double()(torch.from_numpy(x))
    np.testing.assert_array_equal(y, naive_pooling(x, average=False, kernel=kernel, stride=stride, pad=pad))
    for n, c, oy, ox in np.ndindex(*places.shape):
        top, left = oy * stride[0] - pad[0], ox * stride[1] - pad[1]
        window = [(iy, ix) for iy in range(max(top, 0), min(top + kernel[0], size[0]))
                  for ix in range(max(left, 0), min(left + kernel[1], size[1]))]
        row, column = max(window, key=lambda place, n=n, c=c: x[n, c, place[0], place[1]])
        assert places[n, c, oy, ox] == row * size[1] + column
    assert [shape.dims for shape in Pooling.shapes(spec, (TensorShape(x.shape),))] == [y.shape] * 2
    assert not Pooling.keeps_scale(spec)


def test_only_maxima_have_places(top_dims):
    with pytest.raises(LayerError) as caught:
        top_dims(replace(pooling_spec(kernel_size=2, pool=PoolMethod.AVE), tops=("t0", "t1")), (1, 1, 4, 4))
    assert str(caught.value) == "layer 'x': only pool: MAX has a second top, the places of the maxima, not AVE"


STOCHASTIC = {"pool": PoolMethod.STOCHASTIC, "kernel_size": 2, "stride": 2}


def test_stochastic_outside_training_is_the_expected_value(make_layer, rng):
    x = rng.random((2, 3, 5, 4))
    x[0, 0, :2, :2] = 0
    y, = make_layer(pooling_spec(**STOCHASTIC), x.shape).double().eval()(torch.from_numpy(x))
    assert y.shape == (2, 3, 3, 2)
    for n, c, oy, ox in np.ndindex(*y.shape):
        window = x[n, c, 2 * oy:2 * oy + 2, 2 * ox:2 * ox + 2]
        expected = sum(value * value / window.sum() for value in window.flat) if window.any() else 0
        assert y[n, c, oy, ox].item() == pytest.approx(expected)


def test_stochastic_draws_by_the_values_while_training(make_layer):
    torch.manual_seed(1)
    x = torch.tensor([[0.0, 1.0], [3.0, 6.0]]).expand(4000, 1, 2, 2).clone().requires_grad_()
    y, = make_layer(pooling_spec(**STOCHASTIC), (1, 1, 2, 2)).train()(x)
    shares = [float((y == value).double().mean()) for value in (0, 1, 3, 6)]
    # Four deviations of a share of 4000 draws.
    assert shares == pytest.approx([0, 0.1, 0.3, 0.6], abs=4 * (0.25 / 4000) ** 0.5)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.sum((2, 3)), 1)
    assert ((x.grad * x).sum((1, 2, 3)) == y.flatten()).all()


@pytest.mark.parametrize(("size", "parameters", "expected"), [
    (55, {"kernel_size": 3, "stride": 2}, 27),  # AlexNet pool1
    (112, {"kernel_size": 3, "stride": 2}, 56),  # GoogLeNet pool1/3x3_s2: rounding down would give 55
    (28, {"kernel_size": 3, "stride": 1, "pad": 1}, 28),  # GoogLeNet inception_3a/pool
    (32, {"kernel_size": 3, "stride": 2}, 16),  # cifar10_quick pool1
    (5, {"kernel_size": 2, "stride": 2, "pad": 1}, 3),  # Caffe's rule of clipping: 4 windows, the last one beyond
    (112, {"kernel_size": 3, "stride": 2, "round_mode": RoundMode.FLOOR}, 55),
    (7, {"pool": PoolMethod.AVE, "global_pooling": True}, 1),
])
def test_sizes_of_real_networks(top_dims, size, parameters, expected):
    assert top_dims(pooling_spec(**parameters), (1, 4, size, size)) == [(1, 4, expected, expected)]


def test_global_average(make_layer, rng):
    x = rng.standard_normal((2, 3, 4, 5))
    layer = make_layer(pooling_spec(pool=PoolMethod.AVE, global_pooling=True), x.shape).double()
    y, = layer(torch.from_numpy(x))
    np.testing.assert_allclose(y.numpy()[:, :, 0, 0], x.sum((2, 3)) / 20, rtol=0, atol=1e-12)


def test_padding_never_wins_a_maximum(make_layer):
    x = torch.full((1, 1, 2, 2), -5.0)
    y, = make_layer(pooling_spec(kernel_size=2, stride=1, pad=1), (1, 1, 2, 2))(x)
    assert y.tolist() == [[[[-5.0] * 3] * 3]]


def test_gradient_reaches_the_winner(make_layer):
    x = torch.tensor([[[[1.0, 4.0], [3.0, 2.0]]]], requires_grad=True)
    make_layer(pooling_spec(kernel_size=2, stride=2), (1, 1, 2, 2))(x)[0].sum().backward()
    assert x.grad.tolist() == [[[[0, 1], [0, 0]]]]


def test_maximum_keeps_the_scale():
    assert Pooling.keeps_scale(pooling_spec(kernel_size=2))
    assert not Pooling.keeps_scale(pooling_spec(kernel_size=2, pool=PoolMethod.AVE))


@pytest.mark.parametrize(("fields", "message"), [
    ({}, "kernel_size must be given (or kernel_h and kernel_w)"),
    ({"kernel_size": 2, "pad": 1, "pool": PoolMethod.STOCHASTIC},
     "pool must be MAX or AVE where there is padding, not STOCHASTIC"),
    ({"kernel_size": 2, "global_pooling": True},
     "kernel_size must not be given with global_pooling: the window is the whole bottom"),
    ({"stride": 2, "global_pooling": True}, "global_pooling must have stride 1 and pad 0"),
    ({"kernel_size": 2, "pad": 2}, "pad must be smaller than the kernel 2, not 2"),
    ({"kernel_h": 3, "kernel_w": 1, "pad_h": 0, "pad_w": 1}, "pad_w must be smaller than the kernel 1, not 1"),
    ({"kernel_size": 2, "stride": 0}, "stride must be from 1 to 1048576, not 0"),
])
def test_bad_fields(fields, message):
    with pytest.raises(FieldError) as caught:
        PoolingParameters(**fields)
    assert str(caught.value) == message


@pytest.mark.parametrize(("fields", "dims", "message"), [
    ({"kernel_size": 3}, (1, 4), "layer 'x': bottom 'b0' must have four dimensions (N, C, H, W), not 1x4"),
    ({"kernel_size": 3}, (1, 4, 2, 8),
     "layer 'x': the padded height of bottom 'b0' must be at least the kernel's 3, not 2"),
    ({"kernel_size": 1, "stride": 3}, (1, 4, 4, 5),
     ("layer 'x': the last window along the width must start inside bottom 'b0': stride 3 skips its end (size 5, "
      "kernel 1); round_mode: FLOOR leaves that window out")),
])
def test_bad_bottoms(top_dims, fields, dims, message):
    with pytest.raises(LayerError) as caught:
        top_dims(pooling_spec(**fields), dims)
    assert str(caught.value) == message


@pytest.mark.parametrize("method", [PoolMethod.MAX, PoolMethod.AVE])
def test_gradient(make_layer, gradients_are_right, rng, method):
    spec = pooling_spec(pool=method, kernel_size=3, stride=2, pad=1)
    assert gradients_are_right(make_layer(spec, (1, 2, 5, 4)), rng.standard_normal((1, 2, 5, 4)))
