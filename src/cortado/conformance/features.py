"""Every feature of the engine, on layers that need it."""

from __future__ import annotations

import numpy as np

from cortado.conformance.bench import ConformanceBench
from cortado.conformance.check import NotApplicable, conformance_check
from cortado.errors import LayerError
from cortado.gateware.descriptor import Flag
from cortado.graph.shape import TensorShape
from cortado.numerics.elementwise_add import IntegerAdd
from cortado.numerics.pooling import IntegerPooling, PoolingKind

# Fields of a convolution, kernel and maps; channels and filters are no multiples of any pc and pk.
_CONVOLUTIONS: dict[str, tuple[dict[str, object], tuple[int, int], tuple[int, int, int, int]]] = {
    "3x3": ({}, (3, 3), (1, 5, 13, 11)),
    "3x3 of one map": ({}, (3, 3), (1, 1, 7, 7)),
    "3x3 on three images": ({}, (3, 3), (3, 5, 7, 9)),
    "3x3 on maps of 1x1": ({}, (3, 3), (2, 5, 1, 1)),
    "3x3 without padding": ({"pad": (0, 0, 0, 0)}, (3, 3), (1, 5, 10, 12)),
    "3x3, padded on one side": ({"pad": (2, 0, 0, 1)}, (3, 3), (1, 5, 9, 10)),
    "3x3 with ReLU": ({"relu": True}, (3, 3), (1, 5, 11, 11)),
    "1x1": ({"pad": (0, 0, 0, 0)}, (1, 1), (1, 11, 9, 9)),
    "1x1, stride 2": ({"pad": (0, 0, 0, 0), "stride": (2, 2)}, (1, 1), (1, 5, 9, 9)),
    "inner product": ({"pad": (0, 0, 0, 0)}, (1, 1), (5, 70, 1, 1)),
    "2x2": ({"pad": (0, 1, 0, 1)}, (2, 2), (1, 5, 8, 8)),
    "5x5": ({"pad": (2, 2, 2, 2)}, (5, 5), (1, 5, 11, 13)),
    "7x7, stride 2": ({"pad": (3, 3, 3, 3), "stride": (2, 2)}, (7, 7), (1, 3, 23, 21)),
    "11x11, stride 4": ({"pad": (0, 0, 0, 0), "stride": (4, 4)}, (11, 11), (1, 3, 43, 39)),
    "3x3, stride 2": ({"stride": (2, 2)}, (3, 3), (1, 5, 13, 15)),
    "3x3, stride 3 x 1": ({"stride": (3, 1)}, (3, 3), (1, 5, 13, 8)),
    "3x3, dilation 2": ({"pad": (2, 2, 2, 2), "dilation": (2, 2)}, (3, 3), (1, 5, 12, 11)),
    "1x7": ({"pad": (0, 0, 3, 3)}, (1, 7), (1, 5, 9, 14)),
}
FILTERS = 7


@conformance_check("convolutions", "kernels, strides, dilations, pads, batches")
def check_convolutions(bench: ConformanceBench) -> str:
    """Each of a list of convolutions that are easy to get wrong."""
    taken, refused = [], []
    for words, (fields, kernel, maps) in _CONVOLUTIONS.items():
        try:
            bench.check_convolution(words, bench.convolution(maps[1], FILTERS, kernel, **fields), maps)
        except LayerError:
            refused.append(words)
        else:
            taken.append(words)
    return ", ".join(taken) + (f"; not taken by this engine: {', '.join(refused)}" if refused else "")


@conformance_check("groups", "grouped convolutions")
def check_groups(bench: ConformanceBench) -> str:
    """Two groups, groups of one channel, and groups that are no multiple of pc and pk."""
    for group, channels, filters in ((2, 8, 8), (3, 9, 6), (4, 4, 8), (2, 10, 6)):
        bench.check_convolution(f"{group} groups of {channels // group}",
                                bench.convolution(channels, filters, group=group), (1, channels, 9, 9))
    return "2, 3 and 4 groups, one channel in a group"


@conformance_check("channel-passes", "more channels than the block buffer holds")
def check_channel_passes(bench: ConformanceBench) -> str:
    """A row of tiles of all channels does not fit: the sums wait in the accumulators."""
    configuration = bench.engine.configuration
    most = configuration.largest_taps // 9
    channels = min(most, 2 * configuration.buffer_words * configuration.pc // 4 + configuration.pc + 1)
    maps, convolution = (1, channels, 14, 14), bench.convolution(channels, FILTERS)
    job = bench.engine.job("channel passes", convolution, TensorShape(maps))
    if not any(descriptor.flags & Flag.UNFINISHED
               for descriptor in job.descriptors(input_address=0, weights_address=0, output_address=0)):
        raise NotApplicable(f"{channels} channels, the most this engine takes, fit its block buffer")
    bench.check_convolution(f"{channels} channels", convolution, maps)
    return f"{channels} channels on a buffer of {configuration.buffer_words} words"


@conformance_check("blocks", "maps of several blocks of tiles")
def check_blocks(bench: ConformanceBench) -> str:
    """Wider and higher than one block."""
    configuration = bench.engine.configuration
    edge = configuration.m
    width = min(edge * configuration.block_columns + edge + 1, 300)
    height = edge * (2 * configuration.tiles // configuration.block_columns + 1) + 1
    bench.check_convolution("blocks", bench.convolution(3, FILTERS), (1, 3, min(height, 300), width))
    return f"maps of {min(height, 300)}x{width}"


@conformance_check("leaky", "a slope for negative results")
def check_leaky(bench: ConformanceBench) -> str:
    """The smallest, the largest and an odd slope."""
    if not bench.engine.configuration.leaky:
        raise NotApplicable("the configuration has leaky=0")
    slopes = (1, 77, 255)
    for slope in slopes:
        bench.check_convolution(f"slope {slope}/256", bench.convolution(5, FILTERS, relu=True, slope=slope),
                                (1, 5, 9, 9))
    return f"slopes {', '.join(f'{slope}/256' for slope in slopes)}"


@conformance_check("pooling", "maxima and averages of windows")
def check_pooling(bench: ConformanceBench) -> str:
    """Windows that overlap, reach beyond the map, are padded, and the whole map."""
    level = bench.engine.configuration.pooling
    if not level:
        raise NotApplicable("the configuration has pooling=0")
    kinds = [PoolingKind.MAX, PoolingKind.AVERAGE][:level]
    windows = [((2, 2), (2, 2), (0, 0)), ((3, 3), (2, 2), (0, 0)), ((3, 3), (1, 1), (1, 1)), (None, (1, 1), (0, 0))]
    for kind in kinds:
        for kernel, stride, pad in windows:
            operation = IntegerPooling(kind=kind, kernel=kernel, stride=stride, pad=pad)
            job = bench.engine.map_job(f"{kind.value} {kernel}", operation, TensorShape((2, 5, 10, 9)))
            bench.check(job, job.source.pack(bench.maps((2, 5, 10, 9))), np.zeros(0, np.uint8))
    return f"{' and '.join(kind.value for kind in kinds)} over {len(windows)} windows"


@conformance_check("addition", "sums of two maps")
def check_addition(bench: ConformanceBench) -> str:
    """Scales of both signs, with and without ReLU."""
    if not bench.engine.configuration.elementwise_add:
        raise NotApplicable("the configuration has elementwise_add=0")
    for scales, relu in (((1.0, 1.0), False), ((0.37, -0.81), True), ((-0.5, 0.02), False)):
        job = bench.engine.map_job(f"sum by {scales}", IntegerAdd.from_scale(scales, relu=relu),
                                   TensorShape((2, 5, 9, 8)))
        first, second = (job.source.pack(bench.maps((2, 5, 9, 8))) for _ in range(2))
        bench.check(job, first, second)
    return "three pairs of scales, with ReLU and without"
