"""Cutting layers into blocks: what the descriptors read, hold and write, carried out byte by byte."""

from __future__ import annotations

import itertools
import re
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cortado.errors import LayerError
from cortado.gateware.blocking import Blocking, ConvolutionShape, choose_blocking
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.descriptor import Descriptor, Flag
from cortado.gateware.memory_layout import MapLayout

SOURCE, WEIGHTS, TARGET = 0x10000, 0x40000, 0x80000

CONFIGURATIONS = (
    WinogradConfiguration(m=2, pc=2, pk=1, beat_bits=64, largest_channels=16, tiles=8, buffer_words=24,
                          block_columns=5),
    WinogradConfiguration(m=2, pc=1, pk=4, beat_bits=128, largest_channels=16, tiles=16, buffer_words=40,
                          block_columns=8),
    WinogradConfiguration(m=4, pc=4, pk=2, beat_bits=128, largest_channels=16, tiles=9, buffer_words=64,
                          block_columns=6),
    WinogradConfiguration(m=4, pc=8, pk=8, beat_bits=64, largest_channels=16, tiles=6, buffer_words=16,
                          block_columns=3),
)


def shapes() -> st.SearchStrategy[ConvolutionShape]:
    """Small layers of every kind, where the padded map holds the kernel."""
    def fits(shape: ConvolutionShape) -> bool:
        return min(shape.out_height, shape.out_width) >= 1

    return st.builds(
        ConvolutionShape, batch=st.integers(1, 2), channels=st.integers(1, 16), filters=st.integers(1, 9),
        height=st.integers(1, 23), width=st.integers(1, 40), pad=st.tuples(*[st.integers(0, 2)] * 4)).filter(fits)


@cache
def legal_cuts(configuration: WinogradConfiguration, tiles_y: int, tiles_x: int) -> list[tuple[int, int]]:
    """Every block size (rows, columns) the engine's limits allow, apart from the buffer's."""
    return [(rows, columns) for rows in range(1, tiles_y + 1)
            for columns in range(1, min(tiles_x, configuration.block_columns) + 1)
            if rows * columns <= configuration.tiles
            and (columns == tiles_x or columns % configuration.block_column_step == 0)]


@st.composite
def blockings(draw: st.DrawFn) -> Blocking:
    """Any legal cut of any layer."""
    configuration, shape = draw(st.sampled_from(CONFIGURATIONS)), draw(shapes())
    cuts = legal_cuts(configuration, -(-shape.out_height // configuration.m), -(-shape.out_width // configuration.m))
    assume(cuts)
    rows, columns = draw(st.sampled_from(cuts))
    blocking = Blocking(configuration=configuration, shape=shape, rows=rows, columns=columns)
    assume(blocking.block_words <= configuration.buffer_words)
    return blocking


def layouts(blocking: Blocking) -> tuple[MapLayout, MapLayout]:
    """Input and output of a layer in memory."""
    configuration, shape = blocking.configuration, blocking.shape
    return (MapLayout(batch=shape.batch, channels=shape.channels, height=shape.height, width=shape.width,
                      lanes=configuration.pc, beat_bytes=configuration.beat_bytes),
            MapLayout(batch=shape.batch, channels=shape.filters, height=shape.out_height, width=shape.out_width,
                      lanes=configuration.pk, beat_bytes=configuration.beat_bytes))


def descriptors(blocking: Blocking) -> list[Descriptor]:
    """The blocks of a layer at fixed addresses."""
    return list(blocking.descriptors(*layouts(blocking), input_address=SOURCE, weights_address=WEIGHTS,
                                     output_address=TARGET))


def read_block(descriptor: Descriptor, memory: np.ndarray, configuration: WinogradConfiguration) -> np.ndarray:
    """What a block's tiles cover, (channel blocks, rows, columns, pc), as the engine reads it from `memory`."""
    pc, edge = configuration.pc, configuration.m
    window = np.zeros((descriptor.channel_blocks, descriptor.tile_rows * edge + 2,
                       descriptor.tile_columns * edge + 2, pc), np.uint8)
    for plane in range(descriptor.channel_blocks):
        content = np.concatenate([
            memory[start:start + descriptor.input_run_beats * configuration.beat_bytes]
            for run in range(descriptor.input_runs)
            for start in [descriptor.input_address - SOURCE + plane * descriptor.input_plane_pitch
                          + run * descriptor.input_run_pitch]])
        rows = content.reshape(descriptor.input_rows, -1, pc)
        assert rows.shape[1] * pc == descriptor.input_row_beats * configuration.beat_bytes
        kept = rows[:, descriptor.skip_columns:descriptor.skip_columns + descriptor.input_columns]
        top, left = descriptor.top_rows, descriptor.left_columns
        window[plane, top:top + kept.shape[0], left:left + kept.shape[1]] = kept
    return window


@settings(max_examples=150, deadline=None)
@given(blocking=blockings())
def test_every_tile_reads_its_pixels(blocking: Blocking) -> None:
    configuration, shape = blocking.configuration, blocking.shape
    source, _ = layouts(blocking)
    maps = np.random.default_rng(0).integers(-128, 128, (
        shape.batch, shape.channels, shape.height, shape.width)).astype(np.int8)
    memory = source.pack(maps)
    edge, pc, (top, bottom, left, right) = configuration.m, configuration.pc, shape.pad
    # Beyond the pad the last tiles see zeros.
    padded = np.pad(maps, ((0, 0), (0, -shape.channels % pc), (top, bottom + edge), (left, right + edge)))
    images = iter(np.repeat(np.arange(shape.batch), len(blocking.spans)))
    for descriptor, (rows, columns) in zip(descriptors(blocking), blocking.spans * shape.batch, strict=True):
        window = read_block(descriptor, memory, configuration).view(np.int8)
        expected = padded[next(images), :, rows.first * edge:(rows.first + rows.count) * edge + 2,
                          columns.first * edge:(columns.first + columns.count) * edge + 2]
        expected = expected.reshape(-1, pc, *expected.shape[1:]).transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(window, expected)


@settings(max_examples=150, deadline=None)
@given(blocking=blockings())
def test_every_byte_of_the_output_is_written_once(blocking: Blocking) -> None:
    configuration = blocking.configuration
    _, target = layouts(blocking)
    written = np.zeros(target.size_bytes, int)
    for descriptor in descriptors(blocking):
        assert descriptor.weights_address == WEIGHTS
        for plane in range(descriptor.filter_blocks):
            for row in range(descriptor.output_rows):
                first = (descriptor.output_address - TARGET + plane * descriptor.output_plane_pitch
                         + row * descriptor.output_row_pitch)
                assert 0 <= first < len(written)
                written[first:first + descriptor.output_row_beats * configuration.beat_bytes] += 1
    np.testing.assert_array_equal(written, 1)


@settings(max_examples=150, deadline=None)
@given(blocking=blockings())
def test_blocks_hold_different_pixels_of_the_output(blocking: Blocking) -> None:
    """The tiles of the blocks, laid over the output, cover every pixel once."""
    configuration, shape, edge = blocking.configuration, blocking.shape, blocking.configuration.m
    _, target = layouts(blocking)
    covered = np.zeros((shape.batch, shape.out_height, shape.out_width), int)
    for descriptor in descriptors(blocking):
        image, place = divmod(descriptor.output_address - TARGET, target.image_pitch)
        row, byte = divmod(place, target.row_pitch)
        assert byte % configuration.pk == 0
        column = byte // configuration.pk
        covered[image, row:row + descriptor.output_rows, column:column + descriptor.tile_columns * edge] += 1
        assert row + descriptor.output_rows == min(row + descriptor.tile_rows * edge, shape.out_height)
        last = min(column + descriptor.tile_columns * edge, shape.out_width)
        assert (descriptor.output_row_beats * configuration.beat_bytes) >= (last - column) * configuration.pk
    np.testing.assert_array_equal(covered, 1)


@settings(max_examples=150, deadline=None)
@given(blocking=blockings())
def test_blocks_keep_to_the_buffer(blocking: Blocking) -> None:
    configuration = blocking.configuration
    blocks = descriptors(blocking)
    spaces = []
    for descriptor in blocks:
        words = descriptor.channel_blocks * descriptor.plane_words
        assert descriptor.buffer_base + words <= configuration.buffer_words
        # Rows of tiles and the one below them, by parity; columns likewise.
        assert descriptor.row_words >= descriptor.tile_columns // 2 + 1
        assert descriptor.plane_words >= (descriptor.tile_rows // 2 + 1) * descriptor.row_words
        spaces.append(range(descriptor.buffer_base, descriptor.buffer_base + words))
    exclusive = {bool(descriptor.flags & Flag.EXCLUSIVE) for descriptor in blocks}
    assert len(exclusive) == 1
    for space, following in itertools.pairwise(spaces):
        shared = range(max(space.start, following.start), min(space.stop, following.stop))
        assert exclusive == {True} or not shared, "two blocks are held at once"


@settings(max_examples=150, deadline=None)
@given(blocking=blockings())
def test_numbers_are_in_the_range_the_engine_checks(blocking: Blocking) -> None:
    configuration, shape = blocking.configuration, blocking.shape
    edge, pixels = configuration.m, configuration.beat_bytes // configuration.pc
    blocks = descriptors(blocking)
    for index, descriptor in enumerate(blocks):
        assert bool(descriptor.flags & Flag.LAST) == (index == len(blocks) - 1)
        assert 1 <= descriptor.tile_rows * descriptor.tile_columns <= configuration.tiles
        assert 1 <= descriptor.tile_columns <= configuration.block_columns
        assert descriptor.channel_blocks == -(-shape.channels // configuration.pc)
        assert descriptor.filter_blocks == -(-shape.filters // configuration.pk)
        assert descriptor.input_rows >= 1
        assert descriptor.input_columns >= 1
        assert 0 <= descriptor.top_rows <= 2
        assert 0 <= descriptor.left_columns <= 2
        assert descriptor.top_rows + descriptor.input_rows <= descriptor.tile_rows * edge + 2
        assert descriptor.left_columns + descriptor.input_columns <= descriptor.tile_columns * edge + 2
        assert 0 <= descriptor.skip_columns < pixels
        last = descriptor.skip_columns + descriptor.input_columns
        assert descriptor.input_row_beats == -(-last // pixels), "neither a beat too few nor one too many"
        assert (descriptor.input_runs, descriptor.input_run_beats) in (
            (1, descriptor.input_rows * descriptor.input_row_beats),
            (descriptor.input_rows, descriptor.input_row_beats))
        assert (descriptor.tile_rows - 1) * edge < descriptor.output_rows <= descriptor.tile_rows * edge
        segment_bytes = edge * configuration.pk
        assert (descriptor.output_row_beats - 1) * configuration.beat_bytes < descriptor.tile_columns * segment_bytes
        joined = descriptor.output_row_pitch == descriptor.output_row_beats * configuration.beat_bytes
        assert bool(descriptor.flags & Flag.JOINED_ROWS) == joined
        for name in ("input_address", "input_plane_pitch", "input_run_pitch", "weights_address", "output_address",
                     "output_plane_pitch", "output_row_pitch"):
            assert getattr(descriptor, name) % configuration.beat_bytes == 0


@settings(max_examples=100, deadline=None)
@given(configuration=st.sampled_from(CONFIGURATIONS), shape=shapes())
def test_the_choice_is_legal_and_the_cheapest_of_even_cuts(configuration: WinogradConfiguration,
                                                           shape: ConvolutionShape) -> None:
    tiles_y, tiles_x = -(-shape.out_height // configuration.m), -(-shape.out_width // configuration.m)
    cuts = [Blocking(configuration=configuration, shape=shape, rows=rows, columns=columns)
            for rows, columns in legal_cuts(configuration, tiles_y, tiles_x)]
    cuts = [cut for cut in cuts if cut.block_words <= configuration.buffer_words]
    assume(cuts)
    chosen = choose_blocking(configuration, shape, "conv1")
    assert chosen in cuts

    def is_even(cut: Blocking) -> bool:
        """No smaller block makes as few of them."""
        rows, columns = cut.rows - 1, cut.columns - configuration.block_column_step
        if cut.columns == cut.tiles_x:
            columns = (cut.columns - 1) // configuration.block_column_step * configuration.block_column_step
        return ((rows < 1 or -(-cut.tiles_y // rows) > -(-cut.tiles_y // cut.rows))
                and (columns < 1 or -(-cut.tiles_x // columns) > -(-cut.tiles_x // cut.columns)))

    assert chosen.cycles == min(cut.cycles for cut in cuts if is_even(cut))


def test_one_descriptor_of_an_example_by_hand() -> None:
    configuration = CONFIGURATIONS[2]  # m = 4, pc = 4, pk = 2, 16 bytes a beat: 4 pixels in, 8 pixels out
    shape = ConvolutionShape(batch=1, channels=6, filters=3, height=10, width=22, pad=(1, 1, 1, 1))
    blocking = Blocking(configuration=configuration, shape=shape, rows=2, columns=4)
    assert [(y.first, y.count, x.first, x.count) for y, x in blocking.spans] == [
        (0, 2, 0, 4), (0, 2, 4, 2), (2, 1, 0, 4), (2, 1, 4, 2)]
    # Input rows are 22 pixels, 6 beats; a plane is 10 rows. Output rows are 22 pixels of 2 bytes, 3 beats.
    assert descriptors(blocking)[1] == Descriptor(
        flags=0,
        # Rows -1 to 8 and columns 15 to 24 of the input: 7 columns exist, from the last pixel of the fourth beat.
        input_address=SOURCE + 3 * 16, input_plane_pitch=960, input_run_pitch=96, input_runs=9, input_run_beats=3,
        input_rows=9, input_row_beats=3, top_rows=1, left_columns=0, skip_columns=3, input_columns=7,
        tile_rows=2, tile_columns=2, channel_blocks=2, filter_blocks=2,
        # A row of four tiles reads words of five columns of blocks: three even, two odd.
        buffer_base=12, plane_words=6, row_words=3,
        weights_address=WEIGHTS,
        # Output column 16 of two bytes a pixel; of columns 16 to 23 six exist, 12 bytes.
        output_address=TARGET + 32, output_plane_pitch=480, output_row_pitch=48, output_rows=8, output_row_beats=1)


def test_a_layer_of_which_no_tile_fits_is_refused() -> None:
    # One row of 32 tiles would end on a beat; the block's limit is 5.
    configuration = WinogradConfiguration(m=2, pc=1, pk=1, beat_bits=512, largest_channels=4, tiles=8, buffer_words=4,
                                          block_columns=5)
    shape = ConvolutionShape(batch=1, channels=4, filters=1, height=16, width=16, pad=(1, 1, 1, 1))
    message = ("layer 'conv1': no block of tiles fits the engine: the narrowest that ends on a beat is 8 tiles wide "
               "and takes 20 words, which is more than block_columns = 5")
    with pytest.raises(LayerError, match=f"^{re.escape(message)}$"):
        choose_blocking(configuration, shape, "conv1")


def test_sizes_of_the_shape() -> None:
    shape = ConvolutionShape(batch=2, channels=3, filters=5, height=7, width=9, pad=(1, 0, 2, 1))
    assert (shape.out_height, shape.out_width) == (6, 10)
    assert shape.macs == 2 * 5 * 3 * 9 * 6 * 10
