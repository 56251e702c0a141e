"""Weights and channel records in memory, byte by byte."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.gateware.blocking import Blocking
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.weight_packing import pack_weights
from cortado.numerics.convolution import IntegerConvolution


def random_layer(shape: ConvolutionShape, seed: int, *, relu: bool) -> IntegerConvolution:
    rng = np.random.default_rng(seed)
    return IntegerConvolution(
        weight=rng.integers(-128, 128, (shape.filters, shape.channels // shape.group, *shape.kernel)).astype(np.int8),
        bias=rng.integers(-2**31, 2**31, shape.filters).astype(np.int32),
        multiplier=rng.integers(0, 2**16, shape.filters).astype(np.uint16),
        shift=rng.integers(0, 49, shape.filters).astype(np.uint8), pad=shape.pad, stride=shape.stride,
        dilation=shape.dilation, group=shape.group, relu=relu,
        slope=int(rng.integers(0, 256)) if relu else 0)


def groups_together(configuration: WinogradConfiguration, shape: ConvolutionShape) -> int:
    """The fewest groups whose channels fill whole blocks of pc and whose filters fill whole blocks of pk."""
    for count in range(1, shape.group):
        if (count * shape.channels // shape.group % configuration.pc == 0
                and count * shape.filters // shape.group % configuration.pk == 0):
            return count
    return shape.group


def pieces(values: range, size: int) -> list[range]:
    return [values[first : first + size] for first in range(0, len(values), size)]


def naive_weights(convolution: IntegerConvolution, blocking: Blocking) -> bytes:
    """One number at a time, in the order the engine reads them."""
    configuration, shape = blocking.configuration, blocking.shape
    channels, filters = shape.channels // shape.group, shape.filters // shape.group
    taps = 1 if blocking.pointwise else 9
    content = bytearray()

    def fill_up() -> None:
        while len(content) % configuration.beat_bytes:
            content.append(0)

    def weight(k: int, c: int, view: int, tap: int) -> int:
        """Of an output channel and an input channel of the whole layer."""
        if k // filters != c // channels:
            return 0
        if blocking.pointwise:
            return int(convolution.weight[k, c % channels, 0, 0])
        row, column = shape.views[view].row.taps[tap // 3], shape.views[view].column.taps[tap % 3]
        return 0 if row is None or column is None else int(convolution.weight[k, c % channels, row, column])

    for groups in pieces(range(shape.group), groups_together(configuration, shape)):
        bundle_channels = range(groups.start * channels, groups.stop * channels)
        bundle_filters = range(groups.start * filters, groups.stop * filters)
        channel_blocks = pieces(bundle_channels, configuration.pc)
        filter_blocks = pieces(bundle_filters, configuration.pk)
        views = 1 if blocking.pointwise else len(shape.views)
        planes = [(view, block) for view in range(views) for block in channel_blocks]
        for some_filters in pieces(range(len(filter_blocks)), blocking.filters_at_once):
            for some_planes in pieces(range(len(planes)), blocking.planes_at_once):
                for filter_block in some_filters:
                    here = filter_blocks[filter_block]
                    if some_planes.stop == len(planes):
                        for k in range(here.start, here.start + configuration.pk):
                            numbers = ((int(convolution.bias[k]), int(convolution.multiplier[k]),
                                        int(convolution.shift[k])) if k < here.stop else (0, 0, 0))
                            *others, shift = numbers
                            content.extend(struct.pack("<iHBB", *others, shift | convolution.relu << 6,
                                                       convolution.slope))
                        fill_up()
                    for plane in some_planes:
                        view, block = planes[plane]
                        for k in range(here.start, here.start + configuration.pk):
                            for c in range(block.start, block.start + configuration.pc):
                                content.extend(
                                    (weight(k, c, view, tap) if k < here.stop and c < block.stop else 0) & 255
                                    for tap in range(taps))
                        fill_up()
    return bytes(content)


@st.composite
def cases(draw: st.DrawFn) -> Blocking:
    """Any layer, cut in any way."""
    configuration = WinogradConfiguration(pc=draw(st.sampled_from([1, 2, 4])), pk=draw(st.sampled_from([1, 2, 8])),
                                          beat_bits=draw(st.sampled_from([64, 128, 512])))
    group, pointwise = draw(st.sampled_from([1, 1, 2, 3])), draw(st.booleans())
    kernel = (1, 1) if pointwise else draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    ones = st.just((1, 1))
    shape = ConvolutionShape(
        batch=1, channels=group * draw(st.integers(1, 7)), filters=group * draw(st.integers(1, 7)), height=20, width=20,
        kernel=kernel, stride=draw(ones | st.tuples(st.integers(1, 4), st.integers(1, 4))), dilation=draw(
            ones | st.tuples(st.integers(1, 3), st.integers(1, 3))), group=group)
    return Blocking(configuration=configuration, shape=shape, pointwise=pointwise, rows=1, columns=1,
                    planes_at_once=draw(st.integers(1, 12)), filters_at_once=draw(st.integers(1, 5)))


@settings(max_examples=150)
@given(blocking=cases(), relu=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_weights_lie_as_nested_loops_write_them(blocking: Blocking, relu: bool, seed: int) -> None:
    convolution = random_layer(blocking.shape, seed, relu=relu)
    packed = pack_weights(convolution, convolution.weight, blocking)
    assert packed.dtype == np.uint8
    assert packed.tobytes() == naive_weights(convolution, blocking)


def example(*, pointwise: bool, planes_at_once: int) -> list[list[int]]:
    """The beats of a layer of two input channels and one output channel, on lanes for one and two."""
    configuration = WinogradConfiguration(m=2, pc=1, pk=2, beat_bits=64)
    taps = 1 if pointwise else 9
    kernel = (1, 1) if pointwise else (3, 3)
    convolution = IntegerConvolution(
        weight=np.arange(1, 2 * taps + 1, dtype=np.int8).reshape(1, 2, *kernel), bias=np.array([-2], np.int32),
        multiplier=np.array([0x1234], np.uint16), shift=np.array([7], np.uint8), relu=True, slope=200)
    shape = ConvolutionShape(batch=1, channels=2, filters=1, height=9, width=9, kernel=kernel)
    blocking = Blocking(configuration=configuration, shape=shape, pointwise=pointwise, rows=1, columns=1,
                        planes_at_once=planes_at_once, filters_at_once=1)
    return pack_weights(convolution, convolution.weight, blocking).reshape(-1, 8).tolist()


RECORDS = [
    [0xFE, 0xFF, 0xFF, 0xFF, 0x34, 0x12, 7 | 1 << 6, 200],  # bias, multiplier, shift and flags, slope
    [0, 0, 0, 0, 0, 0, 1 << 6, 200],  # of a filter that is not there
]
FIRST_PASS = [[1, 2, 3, 4, 5, 6, 7, 8], [9, 0, 0, 0, 0, 0, 0, 0], [0] * 8]
SECOND_PASS = [[10, 11, 12, 13, 14, 15, 16, 17], [18, 0, 0, 0, 0, 0, 0, 0], [0] * 8]


def test_small_weights_byte_by_byte() -> None:
    assert example(pointwise=False, planes_at_once=2) == [*RECORDS, *FIRST_PASS, *SECOND_PASS]


def test_in_channel_passes_the_records_come_with_the_last() -> None:
    assert example(pointwise=False, planes_at_once=1) == [*FIRST_PASS, *RECORDS, *SECOND_PASS]


def test_small_pointwise_weights_byte_by_byte() -> None:
    assert example(pointwise=True, planes_at_once=2) == [*RECORDS, [1, 0, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0, 0]]
