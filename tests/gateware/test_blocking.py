"""Cutting layers into blocks: what the descriptors make the engine do, carried out byte by byte in NumPy."""

from __future__ import annotations

import itertools
import re
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cortado.errors import LayerError
from cortado.gateware.blocking import Blocking, choose_blocking
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.descriptor import Descriptor, Flag
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.weight_packing import pack_weights
from cortado.numerics.convolution import IntegerConvolution

SOURCE, WEIGHTS, TARGET = 0x10000, 0x40000, 0x80000

CONFIGURATIONS = (
    WinogradConfiguration(m=2, pc=2, pk=1, beat_bits=64, largest_taps=144, tiles=8, buffer_words=24,
                          block_columns=5),
    WinogradConfiguration(m=2, pc=1, pk=4, beat_bits=128, largest_taps=144, tiles=16, buffer_words=40,
                          block_columns=8),
    WinogradConfiguration(m=4, pc=4, pk=2, beat_bits=128, largest_taps=144, tiles=9, buffer_words=64,
                          block_columns=6),
    WinogradConfiguration(m=4, pc=8, pk=8, beat_bits=64, largest_taps=144, tiles=6, buffer_words=16,
                          block_columns=3),
    WinogradConfiguration(m=6, pc=1, pk=2, beat_bits=128, largest_taps=144, tiles=12, buffer_words=20,
                          block_columns=4),
)


@st.composite
def shapes(draw: st.DrawFn, *, pointwise: bool) -> ConvolutionShape:
    """Small layers of every kind, where the padded map holds the kernel; a pointwise one is a row of pixels."""
    group = draw(st.sampled_from([1, 1, 1, 2, 3]))
    sizes = {"batch": draw(st.integers(1, 2)), "channels": group * draw(st.integers(1, 9)),
             "filters": group * draw(st.integers(1, 9)), "group": group}
    if pointwise:
        return ConvolutionShape(**sizes, height=1, width=draw(st.integers(1, 120)), kernel=(1, 1))
    ones = st.just((1, 1))
    kernel = draw(st.just((3, 3)) | st.tuples(st.integers(1, 7), st.integers(1, 7)))
    stride = draw(ones | st.tuples(st.integers(1, 4), st.integers(1, 4)))
    dilation = draw(ones | st.tuples(st.integers(1, 3), st.integers(1, 3)))
    pad = draw(st.tuples(*[st.integers(0, 3)] * 4))
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]
    low = max(1, reach[0] - pad[0] - pad[1]), max(1, reach[1] - pad[2] - pad[3])
    return ConvolutionShape(**sizes, height=draw(st.integers(low[0], low[0] + 16)),
                            width=draw(st.integers(low[1], low[1] + 32)), pad=pad, kernel=kernel, stride=stride,
                            dilation=dilation)


def legal_cuts(configuration: WinogradConfiguration, shape: ConvolutionShape, *,
               pointwise: bool) -> list[tuple[int, int]]:
    """Every block size (rows, columns) of tiles that the engine's limits allow, apart from the buffer's."""
    edge = configuration.point_pixels if pointwise else configuration.m
    tiles_y = 1 if pointwise else -(-shape.out_height // edge)
    tiles_x = -(-shape.out_width // edge)
    widest = configuration.tiles if pointwise else configuration.block_columns
    return [(rows, columns) for rows in range(1, tiles_y + 1) for columns in range(1, min(tiles_x, widest) + 1)
            if rows * columns <= configuration.tiles
            and (columns == tiles_x or columns * edge * configuration.pk % configuration.beat_bytes == 0)]


def groups_together(configuration: WinogradConfiguration, shape: ConvolutionShape) -> int:
    """The fewest groups whose channels fill whole blocks of pc and whose filters fill whole blocks of pk."""
    channels, filters = shape.channels // shape.group, shape.filters // shape.group
    return next((count for count in range(1, shape.group)
                 if count * channels % configuration.pc == 0 and count * filters % configuration.pk == 0), shape.group)


@st.composite
def blockings(draw: st.DrawFn) -> Blocking:
    """Any legal cut of any layer."""
    configuration, pointwise = draw(st.sampled_from(CONFIGURATIONS)), draw(st.booleans())
    shape = draw(shapes(pointwise=pointwise))
    cuts = legal_cuts(configuration, shape, pointwise=pointwise)
    assume(cuts)
    rows, columns = draw(st.sampled_from(cuts))
    cut = partial(Blocking, configuration=configuration, shape=shape, pointwise=pointwise, rows=rows, columns=columns)
    room = configuration.buffer_words // cut(planes_at_once=1, filters_at_once=1).plane_words
    assume(room)
    together = groups_together(configuration, shape)
    filters = -(-shape.filters // shape.group * together // configuration.pk)
    planes = -(-shape.channels // shape.group * together // configuration.pc) * (1 if pointwise else len(shape.views))
    at_once = draw(st.integers(1, min(room, planes)))
    # Sums that wait for other planes take a word of the accumulators for each tile and filter block.
    most = filters if at_once == planes else min(filters, configuration.tiles // (rows * columns))
    return cut(planes_at_once=at_once, filters_at_once=draw(st.integers(1, most)))


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


def computing(blocks: list[Descriptor]) -> list[Descriptor]:
    """Those that compute: the others only load planes."""
    return [descriptor for descriptor in blocks if not descriptor.flags & Flag.PLANES_FOLLOW]


def beats_of(memory: np.ndarray, address: int, count: int) -> np.ndarray:
    assert 0 <= address <= len(memory) - count, "inside the region"
    return memory[address : address + count]


def windows(descriptor: Descriptor, maps: np.ndarray, configuration: WinogradConfiguration) -> list[np.ndarray]:
    """What the tiles see of each plane that a descriptor loads, (rows, columns, pc), padding included."""
    pc, edge = configuration.pc, configuration.m
    columns = (descriptor.tile_columns * configuration.point_pixels if descriptor.flags & Flag.POINTWISE
               else descriptor.tile_columns * edge + 2)
    rows = 1 if descriptor.flags & Flag.POINTWISE else descriptor.tile_rows * edge + 2
    result = []
    for plane in range(descriptor.planes):
        window = np.zeros((rows, columns, pc), np.int8)
        if descriptor.input_rows:
            content = np.concatenate([
                beats_of(maps, descriptor.input_address - SOURCE + plane * descriptor.input_plane_pitch
                         + run * descriptor.input_run_pitch, descriptor.input_run_beats * configuration.beat_bytes)
                for run in range(descriptor.input_runs)])
            lines = content.view(np.int8).reshape(descriptor.input_rows, -1, pc)
            assert lines.shape[1] * pc == descriptor.input_row_beats * configuration.beat_bytes
            kept = lines[:, descriptor.skip_columns :: descriptor.column_step][:, : descriptor.input_columns]
            assert kept.shape[1] == descriptor.input_columns, "the beats hold every pixel that counts"
            top, left = descriptor.top_rows, descriptor.left_groups * edge + descriptor.left_columns
            window[top : top + kept.shape[0], left : left + kept.shape[1]] = kept
        result.append(window)
    return result


def products(window: np.ndarray, kernels: np.ndarray, *, pointwise: bool) -> np.ndarray:
    """Sums over a plane, (rows, columns, pk): of a window (rows, columns, pc), kernels (pk, pc, 3, 3) or (pk, pc)."""
    window, kernels = window.astype(np.int64), kernels.astype(np.int64)
    if pointwise:
        return window @ kernels.T
    rows, columns = window.shape[0] - 2, window.shape[1] - 2
    return sum(window[row : row + rows, column : column + columns] @ kernels[:, :, row, column].T
               for row, column in np.ndindex(3, 3))


def carry_out(blocks: list[Descriptor], maps: np.ndarray, weights: np.ndarray, target_bytes: int,
              configuration: WinogradConfiguration) -> tuple[np.ndarray, np.ndarray]:
    """What the engine writes for a list of descriptors, without requantisation: the low byte of each sum.

    Returns the bytes of the output, and how often each was written.
    """
    beat_bytes, pc, pk = configuration.beat_bytes, configuration.pc, configuration.pk
    output, written = np.zeros(target_bytes, np.uint8), np.zeros(target_bytes, int)
    planes: list[np.ndarray] = []
    kept: dict[int, np.ndarray] = {}
    for descriptor in blocks:
        pointwise, unfinished = (bool(descriptor.flags & flag) for flag in (Flag.POINTWISE, Flag.UNFINISHED))
        planes += windows(descriptor, maps, configuration)
        if descriptor.flags & Flag.PLANES_FOLLOW:
            continue
        assert len(planes) == descriptor.channel_blocks
        address = descriptor.weights_address - WEIGHTS
        taps = () if pointwise else (3, 3)
        pass_bytes = pc * pk * (1 if pointwise else 9)
        for filter_block in range(descriptor.filter_blocks):
            address += 0 if unfinished else -(-8 * pk // beat_bytes) * beat_bytes
            sums = kept.pop(filter_block) if descriptor.flags & Flag.CONTINUES else 0
            for window in planes:
                kernels = beats_of(weights, address, pass_bytes).view(np.int8).reshape(pk, pc, *taps)
                address += -(-pass_bytes // beat_bytes) * beat_bytes
                sums = sums + products(window, kernels, pointwise=pointwise)
            if unfinished:
                kept[filter_block] = sums
                continue
            for row in range(descriptor.output_rows):
                content = (sums[row] & 255).astype(np.uint8).reshape(-1)
                first = (descriptor.output_address - TARGET + filter_block * descriptor.output_plane_pitch
                         + row * descriptor.output_row_pitch)
                count = descriptor.output_row_beats * beat_bytes
                here = slice(first, first + count)
                assert 0 <= first <= target_bytes - count
                output[here] = np.resize(content, count) if len(content) < count else content[:count]
                written[here] += 1
        planes = []
    assert not planes
    assert not kept, "every sum is finished"
    return output, written


def convolve(maps: np.ndarray, weight: np.ndarray, shape: ConvolutionShape) -> np.ndarray:
    """By torch, in float64, which holds these sums exactly."""
    top, bottom, left, right = shape.pad
    padded = torch.nn.functional.pad(torch.tensor(maps, dtype=torch.float64), (left, right, top, bottom))
    return torch.nn.functional.conv2d(padded, torch.tensor(weight, dtype=torch.float64), stride=shape.stride,
                                      dilation=shape.dilation, groups=shape.group).numpy().astype(np.int64)


def with_noise(layout: MapLayout, maps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Packed maps; the bytes that fill up the rows are noise."""
    whole = MapLayout(batch=layout.batch, channels=layout.blocks * layout.lanes, height=layout.height,
                      width=layout.width, lanes=layout.lanes, beat_bytes=layout.beat_bytes)
    pixels = whole.pack(np.ones((whole.batch, whole.channels, whole.height, whole.width), np.int8))
    return np.where(pixels, layout.pack(maps), rng.integers(0, 256, layout.size_bytes)).astype(np.uint8)


@settings(max_examples=200)
@given(blocking=blockings(), seed=st.integers(0, 2**32 - 1))
def test_carried_out_the_descriptors_are_the_convolution(blocking: Blocking, seed: int) -> None:
    configuration, shape = blocking.configuration, blocking.shape
    rng = np.random.default_rng(seed)
    source, target = layouts(blocking)
    maps = rng.integers(-128, 128, (shape.batch, shape.channels, shape.height, shape.width)).astype(np.int8)
    filters = shape.filters
    convolution = IntegerConvolution(
        weight=rng.integers(-128, 128, (filters, shape.channels // shape.group, *shape.kernel)).astype(np.int8),
        bias=np.zeros(filters, np.int32), multiplier=np.ones(filters, np.uint16), shift=np.zeros(filters, np.uint8),
        pad=shape.pad, stride=shape.stride, dilation=shape.dilation, group=shape.group)
    weights = pack_weights(convolution, convolution.weight, blocking)
    output, written = carry_out(descriptors(blocking), with_noise(source, maps, rng), weights, target.size_bytes,
                                configuration)
    np.testing.assert_array_equal(written, 1, "every byte of the output is written once")
    np.testing.assert_array_equal(target.unpack(output).view(np.uint8),
                                  convolve(maps, convolution.weight, shape) & 255)
    whole = MapLayout(batch=shape.batch, channels=target.blocks * configuration.pk, height=shape.out_height,
                      width=shape.out_width, lanes=configuration.pk, beat_bytes=configuration.beat_bytes)
    assert not whole.unpack(output)[:, filters:].any(), "channels beyond the last are zero"


def broken_rules(descriptor: Descriptor, loaded: int, configuration: WinogradConfiguration) -> list[str]:
    """Rules of docs/engine.md that a descriptor breaks; `loaded` planes of its block have come before."""
    edge, pixels = configuration.m, configuration.beat_bytes // configuration.pc
    d = descriptor
    pointwise, follow = bool(d.flags & Flag.POINTWISE), bool(d.flags & Flag.PLANES_FOLLOW)
    waits = bool(d.flags & (Flag.CONTINUES | Flag.UNFINISHED))
    width = d.tile_columns * configuration.point_pixels if pointwise else d.tile_columns * edge
    left = d.left_groups * edge + d.left_columns
    last_pixel = d.skip_columns + (d.input_columns - 1) * d.column_step
    rules = {
        "alignment": all(getattr(d, name) % configuration.beat_bytes == 0 for name in (
            "input_address", "input_plane_pitch", "input_run_pitch", "weights_address", "output_address",
            "output_plane_pitch", "output_row_pitch")),
        "tiles": 1 <= d.tile_rows * d.tile_columns <= configuration.tiles,
        "block_columns": pointwise or d.tile_columns <= configuration.block_columns,
        "planes": d.planes >= 1 and (loaded + d.planes < d.channel_blocks if follow
                                     else loaded + d.planes == d.channel_blocks),
        "filter_blocks": 1 <= d.filter_blocks <= 65535,
        "waiting sums": not waits or d.tile_rows * d.tile_columns * d.filter_blocks <= configuration.tiles,
        "end of the job": not (d.flags & Flag.LAST and (follow or d.flags & Flag.UNFINISHED)),
        "pointwise": not pointwise or (d.tile_rows, d.top_rows, d.output_rows) == (1, 0, 1),
        # Rows of tiles and the one below them, by parity; columns likewise.
        "row_words": pointwise or d.row_words >= d.tile_columns // 2 + 1,
        "plane_words": d.plane_words >= (d.tile_columns if pointwise else (d.tile_rows // 2 + 1) * d.row_words),
        "buffer": d.buffer_base + d.channel_blocks * d.plane_words <= configuration.buffer_words,
        "left_columns": 0 <= d.left_columns < edge and d.left_groups >= 0,
        "skip_columns": 0 <= d.skip_columns < pixels,
        "column_step": 1 <= d.column_step <= 4,
        "input": d.input_rows == 0 or all((
            d.input_columns >= 1,
            d.top_rows + d.input_rows <= d.tile_rows * edge + 2,
            left + d.input_columns <= width + (0 if pointwise else 2),
            d.input_row_beats == last_pixel // pixels + 1,
            (d.input_runs, d.input_run_beats) in ((1, d.input_rows * d.input_row_beats),
                                                  (d.input_rows, d.input_row_beats)))),
        "output_row_beats": 1 <= d.output_row_beats
        and (d.output_row_beats - 1) * configuration.beat_bytes < width * configuration.pk,
        "joined": not d.flags & Flag.JOINED_ROWS
        or d.output_row_pitch == d.output_row_beats * configuration.beat_bytes,
        "output_rows": pointwise or (d.tile_rows - 1) * edge < d.output_rows <= d.tile_rows * edge,
    }
    return [name for name, holds in rules.items() if not holds]


@settings(max_examples=300)
@given(blocking=blockings())
def test_every_descriptor_keeps_the_rules(blocking: Blocking) -> None:
    loaded = 0
    blocks = descriptors(blocking)
    for index, descriptor in enumerate(blocks):
        assert broken_rules(descriptor, loaded, blocking.configuration) == []
        loaded = loaded + descriptor.planes if descriptor.flags & Flag.PLANES_FOLLOW else 0
        assert bool(descriptor.flags & Flag.LAST) == (index == len(blocks) - 1)
        assert bool(descriptor.flags & Flag.POINTWISE) == blocking.pointwise
    assert len(computing(blocks)) == blocking.run_count


@settings(max_examples=300)
@given(blocking=blockings())
def test_two_blocks_share_no_memory_unless_they_say_so(blocking: Blocking) -> None:
    blocks = computing(descriptors(blocking))
    exclusive = {bool(descriptor.flags & Flag.EXCLUSIVE) for descriptor in blocks}
    assert len(exclusive) == 1
    for block, following in itertools.pairwise(blocks):
        low, high = (range(d.buffer_base, d.buffer_base + d.channel_blocks * d.plane_words)
                     for d in sorted((block, following), key=lambda d: d.buffer_base))
        assert exclusive == {True} or low.stop <= high.start, "two blocks are held at once"


@settings(max_examples=150)
@given(blocking=blockings())
def test_planes_of_a_block_differ_in_what_they_load_only(blocking: Blocking) -> None:
    """The engine keeps the loads of a block apart by nothing but their order."""
    loads: list[Descriptor] = []
    for descriptor in descriptors(blocking):
        loads.append(descriptor)
        if descriptor.flags & Flag.PLANES_FOLLOW:
            continue
        assert len({(load.flags & ~(Flag.PLANES_FOLLOW | Flag.LAST), load.tile_rows, load.tile_columns,
                     load.channel_blocks, load.buffer_base, load.plane_words, load.row_words) for load in loads}) == 1
        loads = []


def is_even(blocking: Blocking, step: int) -> bool:
    """Whether no smaller block makes as few of them."""
    rows, columns = blocking.rows - 1, blocking.columns - step
    if blocking.columns == blocking.tiles_x:
        columns = (blocking.columns - 1) // step * step
    return ((rows < 1 or -(-blocking.tiles_y // rows) > -(-blocking.tiles_y // blocking.rows))
            and (columns < 1 or -(-blocking.tiles_x // columns) > -(-blocking.tiles_x // blocking.columns)))


@settings(max_examples=100)
@given(configuration=st.sampled_from(CONFIGURATIONS), draw=st.data(), pointwise=st.booleans())
def test_the_choice_is_legal_and_as_cheap_as_any_even_cut(configuration: WinogradConfiguration, draw: st.DataObject,
                                                          pointwise: bool) -> None:
    shape = draw.draw(shapes(pointwise=pointwise))
    together = groups_together(configuration, shape)
    filters = -(-shape.filters // shape.group * together // configuration.pk)
    cuts = [Blocking(configuration=configuration, shape=shape, pointwise=pointwise, rows=rows, columns=columns,
                     planes_at_once=1, filters_at_once=filters)
            for rows, columns in legal_cuts(configuration, shape, pointwise=pointwise)]
    planes = cuts[0].planes(0) if cuts else 0
    whole = [Blocking(configuration=configuration, shape=shape, pointwise=pointwise, rows=cut.rows, columns=cut.columns,
                      planes_at_once=planes, filters_at_once=filters) for cut in cuts]
    whole = [cut for cut in whole if cut.block_words <= configuration.buffer_words]
    assume(whole)
    chosen = choose_blocking(configuration, shape, "conv1", pointwise=pointwise)
    assert (chosen.rows, chosen.columns) in [(cut.rows, cut.columns) for cut in cuts]
    assert chosen.block_words <= configuration.buffer_words
    assert chosen.passes_together or chosen.filters_at_once * chosen.rows * chosen.columns <= configuration.tiles
    step = 1
    while step * whole[0].tile_width * configuration.pk % configuration.beat_bytes:
        step += 1
    assert all(chosen.cycles <= cut.cycles for cut in whole if is_even(cut, step))


def test_one_descriptor_of_an_example_by_hand() -> None:
    configuration = CONFIGURATIONS[2]  # m = 4, pc = 4, pk = 2, 16 bytes a beat: 4 pixels in, 8 pixels out
    shape = ConvolutionShape(batch=1, channels=6, filters=3, height=10, width=22, pad=(1, 1, 1, 1))
    blocking = Blocking(configuration=configuration, shape=shape, rows=2, columns=4, planes_at_once=2,
                        filters_at_once=2)
    assert [(y.first, y.count, x.first, x.count) for y, x in blocking.tile_spans] == [
        (0, 2, 0, 4), (0, 2, 4, 2), (2, 1, 0, 4), (2, 1, 4, 2)]
    # Input rows are 22 pixels, 6 beats; a plane is 10 rows. Output rows are 22 pixels of 2 bytes, 3 beats.
    assert descriptors(blocking)[1] == Descriptor(
        flags=0,
        # Rows -1 to 8 and columns 15 to 24 of the input: 7 columns exist, from the last pixel of the fourth beat.
        input_address=SOURCE + 3 * 16, input_plane_pitch=960, input_run_pitch=96, input_runs=9, input_run_beats=3,
        input_rows=9, input_row_beats=3, top_rows=1, left_groups=0, left_columns=0, skip_columns=3, column_step=1,
        input_columns=7, planes=2, tile_rows=2, tile_columns=2, channel_blocks=2, filter_blocks=2,
        # A row of four tiles reads words of five columns of blocks: three even, two odd.
        buffer_base=12, plane_words=6, row_words=3,
        weights_address=WEIGHTS,
        # Output column 16 of two bytes a pixel; of columns 16 to 23 six exist, 12 bytes.
        output_address=TARGET + 32, output_plane_pitch=480, output_row_pitch=48, output_rows=8, output_row_beats=1)


def test_the_views_of_a_strided_kernel_by_hand() -> None:
    """5 taps and a stride of 2: even pixels under taps 0, 2, 4, odd ones under 1 and 3."""
    configuration = CONFIGURATIONS[0]  # m = 2, pc = 2, pk = 1, 8 bytes a beat: 4 pixels in
    shape = ConvolutionShape(batch=1, channels=2, filters=1, height=1, width=9, pad=(0, 0, 2, 2), kernel=(1, 5),
                             stride=(1, 2))
    blocking = Blocking(configuration=configuration, shape=shape, rows=1, columns=3, planes_at_once=2,
                        filters_at_once=1)
    first, second = descriptors(blocking)
    assert (first.flags, second.flags) == (Flag.PLANES_FOLLOW | Flag.JOINED_ROWS, Flag.LAST | Flag.JOINED_ROWS)
    # Five outputs, so 8 pixels of each view. The first view has pixels -2, 0, 2, .., 8, 10, 12.
    assert (first.left_columns, first.skip_columns, first.column_step, first.input_columns) == (1, 0, 2, 5)
    assert (first.input_address, first.input_row_beats) == (SOURCE, 3)
    # The second one -1, 1, 3, 5, 7, 9, ..; of a row of 9 pixels the last one is pixel 7.
    assert (second.left_columns, second.skip_columns, second.column_step, second.input_columns) == (1, 1, 2, 4)
    assert (second.input_address, second.input_row_beats) == (SOURCE, 2)
    assert [(load.planes, load.channel_blocks) for load in (first, second)] == [(1, 2), (1, 2)]


def test_a_view_that_is_all_padding_reads_nothing() -> None:
    """The taps of a kernel that lie beyond the map on every output of a block."""
    configuration = CONFIGURATIONS[0]
    shape = ConvolutionShape(batch=1, channels=2, filters=1, height=2, width=2, pad=(3, 3, 3, 3), kernel=(7, 7))
    blocking = Blocking(configuration=configuration, shape=shape, rows=1, columns=1, planes_at_once=3,
                        filters_at_once=1)
    blocks = descriptors(blocking)
    assert [descriptor.input_rows == 0 for descriptor in blocks] == [
        # Rows and columns -3 to 0, 0 to 3 and 3 to 6 of a map of two.
        False, False, True, False, False, True, True, True, True]
    assert all((descriptor.input_runs, descriptor.input_run_beats, descriptor.input_row_beats) == (0, 0, 0)
               for descriptor in blocks if descriptor.input_rows == 0)


def test_channel_passes_by_hand() -> None:
    """Four planes, two at a time; five filter blocks, as many at a time as eight accumulators hold for four tiles."""
    configuration = CONFIGURATIONS[0]
    shape = ConvolutionShape(batch=1, channels=8, filters=5, height=4, width=4, pad=(1, 1, 1, 1))
    blocking = Blocking(configuration=configuration, shape=shape, rows=2, columns=2, planes_at_once=2,
                        filters_at_once=2)
    blocks = descriptors(blocking)
    kinds = [(bool(d.flags & Flag.CONTINUES), bool(d.flags & Flag.UNFINISHED), d.channel_blocks, d.filter_blocks)
             for d in blocks]
    assert kinds == [(False, True, 2, 2), (True, False, 2, 2)] * 2 + [(False, True, 2, 1), (True, False, 2, 1)]
    # A pass is 18 bytes, 3 beats; a record is a beat. The weights of a run follow those of the one before.
    sizes = [2 * 2 * 24, 2 * (8 + 2 * 24)] * 2 + [2 * 24]
    assert [d.weights_address - WEIGHTS for d in blocks] == [0, *itertools.accumulate(sizes)]


def test_groups_run_together_up_to_whole_blocks() -> None:
    """Three channels and two filters a group, on lanes for two and four: two groups fill whole blocks."""
    configuration = WinogradConfiguration(m=2, pc=2, pk=4, beat_bits=64)
    shape = ConvolutionShape(batch=1, channels=15, filters=10, height=4, width=4, group=5)
    blocking = Blocking(configuration=configuration, shape=shape, rows=1, columns=1, planes_at_once=3,
                        filters_at_once=1)
    assert [(bundle.channels.first, bundle.channels.count, bundle.filters.first, bundle.filters.count)
            for bundle in blocking.bundles] == [(0, 6, 0, 4), (6, 6, 4, 4), (12, 3, 8, 2)]


@pytest.mark.parametrize(("limits", "words"), [
    ({}, "the narrowest that ends on a beat is 8 tiles wide, which is more than block_columns = 5 takes"),
    ({"block_columns": 8, "tiles": 6},
     "the narrowest that ends on a beat is 8 tiles wide, which is more than tiles = 6 takes"),
    ({"block_columns": 8},
     "the narrowest that ends on a beat is 8 tiles wide, which is more than buffer_words = 4 takes"),
])
def test_a_layer_of_which_no_tile_fits_is_refused(limits: dict[str, int], words: str) -> None:
    # Of the output's 64 bytes a beat a row of 32 tiles would end on one; the row has only 8.
    configuration = WinogradConfiguration(**{"m": 2, "pc": 1, "pk": 1, "beat_bits": 512, "largest_taps": 36, "tiles": 8,
                                             "buffer_words": 4, "block_columns": 5, **limits})
    shape = ConvolutionShape(batch=1, channels=4, filters=1, height=16, width=16, pad=(1, 1, 1, 1))
    message = re.escape(f"layer 'conv1': no block of tiles fits the engine: {words}")
    with pytest.raises(LayerError, match=f"^{message}$"):
        choose_blocking(configuration, shape, "conv1")
