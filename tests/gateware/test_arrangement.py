"""Arranged batches: the convolution the engine runs instead gives the results of the one that was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.gateware.arrangement import Arrangement, Flat, Mosaic, Plain, Rows, SpaceToDepth
from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.memory_layout import MapLayout


def convolve(maps: np.ndarray, weight: np.ndarray, shape: ConvolutionShape) -> np.ndarray:
    """By torch, in float64, which holds these sums exactly: int64 (N, K, P, Q)."""
    assert maps.shape == (shape.batch, shape.channels, shape.height, shape.width)
    assert weight.shape == (shape.filters, shape.channels // shape.group, *shape.kernel)
    top, bottom, left, right = shape.pad
    padded = torch.nn.functional.pad(torch.from_numpy(maps).double(), (left, right, top, bottom))
    result = torch.nn.functional.conv2d(padded, torch.from_numpy(weight).double(), stride=shape.stride,
                                        dilation=shape.dilation, groups=shape.group)
    return result.numpy().astype(np.int64)


def met(shape: ConvolutionShape) -> np.ndarray:
    """Which pixels of a map some output depends on, (H, W)."""
    ones = torch.zeros(1, 1, shape.height, shape.width, dtype=torch.float64, requires_grad=True)
    top, bottom, left, right = shape.pad
    padded = torch.nn.functional.pad(ones, (left, right, top, bottom))
    torch.nn.functional.conv2d(padded, torch.ones(1, 1, *shape.kernel, dtype=torch.float64), stride=shape.stride,
                               dilation=shape.dilation).sum().backward()
    return ones.grad[0, 0].numpy() > 0


def pairs(most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(1, most), st.integers(1, most))


@st.composite
def shapes(draw: st.DrawFn, kernels: st.SearchStrategy, strides: st.SearchStrategy,
           dilations: st.SearchStrategy) -> ConvolutionShape:
    """Small convolutions with groups and any pads; the padded map holds the kernel."""
    kernel, stride, dilation, group = draw(kernels), draw(strides), draw(dilations), draw(st.integers(1, 3))
    pad = draw(st.tuples(*[st.integers(0, 3)] * 4))
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]
    low = max(1, reach[0] - pad[0] - pad[1]), max(1, reach[1] - pad[2] - pad[3])
    return ConvolutionShape(
        batch=draw(st.integers(1, 5)), channels=group * draw(st.integers(1, 3)),
        filters=group * draw(st.integers(1, 3)), height=draw(st.integers(low[0], low[0] + 7)),
        width=draw(st.integers(low[1], low[1] + 7)),
        pad=pad, kernel=kernel, stride=stride, dilation=dilation, group=group)


ONES = st.just((1, 1))


@st.composite
def arrangements(draw: st.DrawFn) -> Arrangement:
    """Each kind, for shapes it is for."""
    kind = draw(st.sampled_from([Plain, Mosaic, Flat, Rows, SpaceToDepth]))
    if kind is Mosaic:
        return Mosaic(draw(shapes(pairs(5), ONES, ONES | pairs(2))), *draw(pairs(3)))
    if kind is Rows:
        shape = replace(draw(shapes(ONES, ONES, ONES)), pad=(0, 0, 0, 0))
        return Rows(shape, shape.width + draw(st.integers(0, 3)))
    if kind is Flat:
        return Flat(draw(shapes(ONES, pairs(3), ONES | pairs(3))))
    return kind(draw(shapes(pairs(5), pairs(4), ONES)))


def random_case(arrangement: Arrangement, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Maps and kernels."""
    rng, shape = np.random.default_rng(seed), arrangement.shape
    return (rng.integers(-128, 128, (shape.batch, shape.channels, shape.height, shape.width)).astype(np.int8),
            rng.integers(-128, 128, (shape.filters, shape.channels // shape.group, *shape.kernel)).astype(np.int8))


@settings(max_examples=200)
@given(arrangement=arrangements(), seed=st.integers(0, 2**32 - 1))
def test_the_lowered_convolution_gives_the_same_results(arrangement: Arrangement, seed: int) -> None:
    maps, weight = random_case(arrangement, seed)
    lowered = arrangement.lowered
    arranged = arrangement.arrange_source(maps)
    assert arranged.dtype == np.int8
    result = convolve(arranged, arrangement.arrange_weight(weight), lowered)
    assert result.shape == (lowered.batch, lowered.filters, lowered.out_height, lowered.out_width)
    np.testing.assert_array_equal(arrangement.restore_target(result), convolve(maps, weight, arrangement.shape))


@settings(max_examples=200)
@given(arrangement=arrangements(), seed=st.integers(0, 2**32 - 1))
def test_results_come_back(arrangement: Arrangement, seed: int) -> None:
    maps, weight = random_case(arrangement, seed)
    shape, lowered = arrangement.shape, arrangement.lowered
    results = convolve(maps, weight, shape).astype(np.int8)
    arranged = arrangement.arrange_target(results)
    assert arranged.shape == (lowered.batch, lowered.filters, lowered.out_height, lowered.out_width)
    assert arranged.dtype == np.int8
    np.testing.assert_array_equal(arrangement.restore_target(arranged), results)


@settings(max_examples=200)
@given(arrangement=arrangements(), seed=st.integers(0, 2**32 - 1))
def test_maps_come_back_as_far_as_they_count(arrangement: Arrangement, seed: int) -> None:
    maps, _ = random_case(arrangement, seed)
    restored = arrangement.restore_source(arrangement.arrange_source(maps))
    assert (restored.shape, restored.dtype) == (maps.shape, np.int8)
    counts = met(arrangement.shape)
    np.testing.assert_array_equal(restored[:, :, counts], maps[:, :, counts])
    elsewhere = restored[:, :, ~counts]
    assert np.all((elsewhere == 0) | (elsewhere == maps[:, :, ~counts]))


def test_rows_lie_as_they_are() -> None:
    """Rows of 3 pixels of 2 channels in beats of 8 bytes leave a gap of one pixel."""
    shape = ConvolutionShape(batch=2, channels=3, filters=5, height=2, width=3, kernel=(1, 1))
    maps = np.arange(1, 37, dtype=np.int8).reshape(2, 3, 2, 3)
    rows = Rows(shape, 4)
    layout = MapLayout(batch=2, channels=3, height=1, width=8, lanes=2, beat_bytes=8)
    plain = MapLayout(batch=2, channels=3, height=2, width=3, lanes=2, beat_bytes=8)
    np.testing.assert_array_equal(layout.pack(rows.arrange_source(maps)), plain.pack(maps))
    assert rows.canonical(layout, is_target=False) == plain


def test_a_mosaic_by_hand() -> None:
    """Three images of 1 x 2 in a 2 x 2 grid; the kernel looks one column to the right and no row beyond."""
    shape = ConvolutionShape(batch=3, channels=1, filters=1, height=1, width=2, pad=(0, 0, 0, 1), kernel=(1, 2))
    mosaic = Mosaic(shape, 2, 2)
    assert mosaic.lowered == replace(shape, batch=1, height=2, width=5)
    maps = np.arange(1, 7, dtype=np.int8).reshape(3, 1, 1, 2)
    assert mosaic.arrange_source(maps).tolist() == [[[[1, 2, 0, 3, 4], [5, 6, 0, 0, 0]]]]
    assert str(mosaic) == "mosaic 2x2"


def test_a_flat_batch_by_hand() -> None:
    """The pixels a stride of 2 meets, padding included."""
    shape = ConvolutionShape(batch=2, channels=1, filters=1, height=2, width=3, pad=(0, 0, 1, 0), kernel=(1, 1),
                             stride=(1, 2))
    flat = Flat(shape)
    assert (flat.lowered.height, flat.lowered.width, flat.lowered.batch) == (1, 8, 1)
    maps = np.arange(1, 13, dtype=np.int8).reshape(2, 1, 2, 3)
    assert flat.arrange_source(maps).tolist() == [[[[0, 2, 0, 5, 0, 8, 0, 11]]]]
    assert str(flat) == "flat"


def test_space_to_depth_by_hand() -> None:
    """Channel (y * 2 + x) of the lowered map is the phase of row y and column x."""
    shape = ConvolutionShape(batch=1, channels=1, filters=1, height=4, width=4, kernel=(3, 3), stride=(2, 2))
    deep = SpaceToDepth(shape)
    assert deep.lowered == ConvolutionShape(batch=1, channels=4, filters=1, height=2, width=2, kernel=(2, 2))
    maps = np.arange(16, dtype=np.int8).reshape(1, 1, 4, 4)
    assert deep.arrange_source(maps).tolist() == [
        [[[0, 2], [8, 10]], [[1, 3], [9, 11]], [[4, 6], [12, 14]], [[5, 7], [13, 15]]]]
    weight = np.arange(1, 10, dtype=np.int8).reshape(1, 1, 3, 3)
    assert deep.arrange_weight(weight).tolist() == [
        [[[1, 3], [7, 9]], [[2, 0], [8, 0]], [[4, 6], [0, 0]], [[5, 0], [0, 0]]]]
    assert str(deep) == "space-to-depth 2x2"


@pytest.mark.parametrize("kind", [Plain, Flat, SpaceToDepth])
def test_a_plain_arrangement_keeps_its_shape(kind: type[Arrangement]) -> None:
    """Where there is nothing to arrange the lowered convolution multiplies as often."""
    shape = ConvolutionShape(batch=1, channels=3, filters=2, height=1, width=6, kernel=(1, 1))
    assert kind(shape).lowered.macs == shape.macs
