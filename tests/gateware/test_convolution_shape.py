"""Cutting a kernel into 3 x 3 views: every tap once, at its pixel."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.gateware.convolution_shape import PIECE, AxisPiece, ConvolutionShape, axis_pieces


def naive_convolution(maps: np.ndarray, kernel: np.ndarray, shape: ConvolutionShape) -> np.ndarray:
    """One tap at a time over a single map (H, W)."""
    result = np.zeros((shape.out_height, shape.out_width), np.int64)
    for p, q in np.ndindex(result.shape):
        for r, s in np.ndindex(kernel.shape):
            row = shape.stride[0] * p + shape.dilation[0] * r - shape.pad[0]
            column = shape.stride[1] * q + shape.dilation[1] * s - shape.pad[2]
            if 0 <= row < shape.height and 0 <= column < shape.width:
                result[p, q] += int(kernel[r, s]) * int(maps[row, column])
    return result


def by_views(maps: np.ndarray, kernel: np.ndarray, shape: ConvolutionShape) -> np.ndarray:
    """The sum over the views of a 3 x 3 convolution of stride 1 on each."""
    result = np.zeros((shape.out_height, shape.out_width), np.int64)
    for view in shape.views:
        for p, q in np.ndindex(result.shape):
            for a, b in itertools.product(range(PIECE), repeat=2):
                row, column = view.row.offset + view.row.step * (p + a), view.column.offset + view.column.step * (q + b)
                taps = view.row.taps[a], view.column.taps[b]
                if None not in taps and 0 <= row < shape.height and 0 <= column < shape.width:
                    result[p, q] += int(kernel[taps]) * int(maps[row, column])
    return result


@st.composite
def shapes(draw: st.DrawFn) -> ConvolutionShape:
    """Convolutions of one map; the padded map holds the kernel."""
    pair = st.tuples(st.integers(1, 4), st.integers(1, 4))
    kernel, stride = draw(st.tuples(st.integers(1, 11), st.integers(1, 11))), draw(pair)
    dilation = draw(st.just((1, 1)) | pair)
    pad = draw(st.tuples(*[st.integers(0, 6)] * 4))
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]
    low = max(1, reach[0] - pad[0] - pad[1]), max(1, reach[1] - pad[2] - pad[3])
    return ConvolutionShape(
        batch=1, channels=1, filters=1, height=draw(st.integers(low[0], low[0] + 6)),
        width=draw(st.integers(low[1], low[1] + 6)), pad=pad, kernel=kernel, stride=stride, dilation=dilation)


@settings(max_examples=150)
@given(shape=shapes(), seed=st.integers(0, 2**32 - 1))
def test_the_views_add_up_to_the_convolution(shape: ConvolutionShape, seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = rng.integers(-128, 128, (shape.height, shape.width))
    kernel = rng.integers(-128, 128, shape.kernel)
    np.testing.assert_array_equal(by_views(maps, kernel, shape), naive_convolution(maps, kernel, shape))


@given(kernel=st.integers(1, 11), stride=st.integers(1, 4), dilation=st.integers(1, 16), pad=st.integers(0, 16))
def test_every_tap_is_in_one_piece_at_its_place(kernel: int, stride: int, dilation: int, pad: int) -> None:
    places = [(tap, piece.offset + piece.step * place) for piece in axis_pieces(kernel, stride, dilation, pad)
              for place, tap in enumerate(piece.taps) if tap is not None]
    assert sorted(places) == [(tap, dilation * tap - pad) for tap in range(kernel)]


@given(kernel=st.integers(1, 11), stride=st.integers(1, 4), pad=st.integers(0, 16))
def test_there_is_no_piece_too_many(kernel: int, stride: int, pad: int) -> None:
    """Without dilation the taps of a phase are neighbours: a piece for every three of them."""
    on_phase = [len(range(phase, kernel, stride)) for phase in range(min(stride, kernel))]
    assert len(axis_pieces(kernel, stride, 1, pad)) == sum(-(-taps // PIECE) for taps in on_phase)


def test_the_pieces_of_an_example_by_hand() -> None:
    """AlexNet's first layer, 11 taps 4 apart: phase 0 has taps 0, 4, 8, phase 3 only 3 and 7."""
    assert axis_pieces(11, 4, 1, 0) == (
        AxisPiece(0, 4, (0, 4, 8)), AxisPiece(1, 4, (1, 5, 9)), AxisPiece(2, 4, (2, 6, 10)),
        AxisPiece(3, 4, (3, 7, None)))
    assert axis_pieces(5, 1, 1, 2) == (AxisPiece(-2, 1, (0, 1, 2)), AxisPiece(1, 1, (3, 4, None)))
    # A dilated kernel has gaps: taps two pixels apart, the third begins a piece of its own.
    assert axis_pieces(3, 1, 2, 1) == (AxisPiece(-1, 1, (0, None, 1)), AxisPiece(3, 1, (2, None, None)))


@given(offset=st.integers(-20, 20), step=st.integers(1, 4), first=st.integers(0, 20), count=st.integers(0, 20),
       size=st.integers(1, 30))
def test_the_span_are_the_pixels_inside_the_map(offset: int, step: int, first: int, count: int, size: int) -> None:
    low, high = AxisPiece(offset, step, (0, None, None)).span(first, first + count, size)
    inside = [pixel for pixel in range(first, first + count) if 0 <= offset + step * pixel < size]
    assert list(range(low, high)) == inside


@settings(max_examples=50)
@given(shape=shapes())
def test_the_output_is_as_large_as_in_torch(shape: ConvolutionShape) -> None:
    top, bottom, left, right = shape.pad
    padded = torch.nn.functional.pad(torch.zeros(1, 1, shape.height, shape.width), (left, right, top, bottom))
    result = torch.nn.functional.conv2d(padded, torch.zeros(1, 1, *shape.kernel), stride=shape.stride,
                                        dilation=shape.dilation)
    assert (shape.out_height, shape.out_width) == tuple(result.shape[2:])


def test_products_of_the_batch() -> None:
    shape = ConvolutionShape(batch=2, channels=6, filters=4, height=7, width=9, pad=(1, 0, 2, 1), group=2)
    assert (shape.out_height, shape.out_width) == (6, 10)
    assert shape.macs == 2 * 4 * 3 * 9 * 6 * 10
