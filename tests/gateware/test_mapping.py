"""Choosing how a convolution runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.errors import LayerError
from cortado.gateware.arrangement import Arrangement, Flat, Mosaic, Plain, SpaceToDepth
from cortado.gateware.blocking import choose_blocking
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.mapping import choose_mapping

SMALL = WinogradConfiguration(m=2, pc=2, pk=2, beat_bits=64, largest_taps=1000, tiles=16, buffer_words=128,
                              block_columns=8)


@st.composite
def shapes(draw: st.DrawFn) -> ConvolutionShape:
    """Small convolutions of every kind."""
    ones, pair = st.just((1, 1)), st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel = draw(ones | st.tuples(st.integers(1, 5), st.integers(1, 5)))
    group = draw(st.sampled_from([1, 1, 2]))
    return ConvolutionShape(
        batch=draw(st.integers(1, 5)), channels=group * draw(st.integers(1, 6)),
        filters=group * draw(st.integers(1, 6)), height=draw(st.integers(13, 20)), width=draw(st.integers(13, 20)),
        pad=draw(st.tuples(*[st.integers(0, 2)] * 4)), kernel=kernel, stride=draw(ones | pair),
        dilation=draw(ones | pair), group=group)


def low_bytes(maps: np.ndarray, shape: ConvolutionShape, rng: np.random.Generator) -> np.ndarray:
    """The low bytes of a convolution's sums by torch, for random kernels: results that can be, int8."""
    weight = rng.integers(-128, 128, (shape.filters, shape.channels // shape.group, *shape.kernel))
    top, bottom, left, right = shape.pad
    padded = torch.nn.functional.pad(torch.tensor(maps, dtype=torch.float64), (left, right, top, bottom))
    sums = torch.nn.functional.conv2d(padded, torch.tensor(weight, dtype=torch.float64), stride=shape.stride,
                                      dilation=shape.dilation, groups=shape.group)
    return sums.numpy().astype(np.int64).astype(np.int8)


def by_words(shape: ConvolutionShape) -> dict[str, Arrangement]:
    """Every arrangement that could be meant by the words of a mapping."""
    grids = [Mosaic(shape, rows, columns) for rows in range(1, 6) for columns in range(1, 6)]
    return {str(arrangement): arrangement for arrangement in (Plain(shape), Flat(shape), SpaceToDepth(shape), *grids)}


@settings(max_examples=40)
@given(shape=shapes())
def test_the_choice_is_the_cheapest_of_what_was_weighed(shape: ConvolutionShape) -> None:
    chosen = choose_mapping(SMALL, shape, "conv1")
    assert chosen.alternatives[0].words == chosen.words
    assert chosen.alternatives[0].cycles == chosen.cycles == min(one.cycles for one in chosen.alternatives)
    assert [one.cycles for one in chosen.alternatives] == sorted(one.cycles for one in chosen.alternatives)
    arrangements = by_words(shape)
    for alternative in chosen.alternatives:
        method, *_, words = alternative.words.split(", ")
        blocking = choose_blocking(SMALL, arrangements[words].lowered, "conv1", pointwise=method == "pointwise")
        assert alternative.cycles == blocking.cycles
    assert chosen.blocking.shape == chosen.arrangement.lowered
    assert chosen.shape == shape


@settings(max_examples=40)
@given(shape=shapes(), seed=st.integers(0, 2**32 - 1))
def test_results_come_back_from_memory(shape: ConvolutionShape, seed: int) -> None:
    """The layouts are those of the convolution the engine runs; the caller sees the one that was asked for."""
    chosen = choose_mapping(SMALL, shape, "conv1")
    rng = np.random.default_rng(seed)
    maps = rng.integers(-128, 128, (shape.batch, shape.channels, shape.height, shape.width)).astype(np.int8)
    results = low_bytes(maps, shape, rng)
    packed = chosen.target.pack(results)
    assert (packed.nbytes, packed.dtype) == (chosen.target.size_bytes, np.uint8)
    np.testing.assert_array_equal(chosen.target.unpack(packed), results)
    lowered = chosen.arrangement.lowered
    source = chosen.source.layout
    assert (source.batch, source.channels, source.height, source.width) == (
        lowered.batch, lowered.channels, lowered.height, lowered.width)
    assert chosen.source.pack(maps).nbytes == chosen.source.size_bytes == source.size_bytes


@pytest.mark.parametrize(("fields", "kinds"), [
    ({}, {"plain"}),
    ({"kernel": (1, 1)}, {"flat"}),
    ({"kernel": (1, 1), "stride": (2, 2), "batch": 3}, {"flat"}),
    ({"stride": (2, 1)}, {"plain", "space-to-depth"}),
    ({"stride": (2, 1), "dilation": (1, 2)}, {"plain"}),
    ({"batch": 4}, {"plain", "mosaic"}),
    ({"batch": 4, "stride": (1, 2)}, {"plain", "space-to-depth"}),
])
def test_what_is_weighed(fields: dict, kinds: set[str]) -> None:
    shape = ConvolutionShape(**{"batch": 1, "channels": 4, "filters": 4, "height": 13, "width": 13,
                                "pad": (1, 1, 1, 1), **fields})
    found = {one.words.split(", ")[-1].split()[0] for one in choose_mapping(SMALL, shape, "conv1").alternatives}
    assert found == kinds


def test_small_maps_of_a_batch_share_tiles() -> None:
    """13 x 13 in tiles of 4 x 4: 16 tiles an image, four images as 2 x 2 in 49."""
    shape = ConvolutionShape(batch=4, channels=64, filters=64, height=13, width=13, pad=(1, 1, 1, 1))
    chosen = choose_mapping(WinogradConfiguration(), shape, "conv3")
    assert chosen.arrangement == Mosaic(shape, 2, 2)
    single = choose_mapping(WinogradConfiguration(), replace(shape, batch=1), "conv3")
    assert chosen.cycles < 4 * single.cycles


@pytest.mark.parametrize(("shape", "words"), [
    (ConvolutionShape(batch=1, channels=64, filters=64, height=14, width=14, pad=(1, 1, 1, 1)), "winograd, plain"),
    (ConvolutionShape(batch=1, channels=64, filters=64, height=14, width=14, kernel=(1, 1)), "pointwise, flat"),
    (ConvolutionShape(batch=1, channels=96, filters=64, height=27, width=27, pad=(2, 2, 2, 2), kernel=(5, 5)),
     "winograd, 4 pieces, plain"),
    # Three channels on lanes for four; the phases are 48.
    (ConvolutionShape(batch=1, channels=3, filters=96, height=227, width=227, kernel=(11, 11), stride=(4, 4)),
     "winograd, space-to-depth 4x4"),
])
def test_mappings_in_words(shape: ConvolutionShape, words: str) -> None:
    assert choose_mapping(WinogradConfiguration(), shape, "conv1").words == words


def test_the_refusal_is_that_of_the_batch_as_it_is() -> None:
    configuration = WinogradConfiguration(m=2, pc=1, pk=1, beat_bits=512, largest_taps=36, tiles=8, buffer_words=4,
                                          block_columns=5)
    shape = ConvolutionShape(batch=2, channels=4, filters=1, height=16, width=16, pad=(1, 1, 1, 1))
    with pytest.raises(LayerError, match=r"^layer 'conv1': no block of tiles fits the engine: .* block_columns = 5"):
        choose_mapping(configuration, shape, "conv1")
