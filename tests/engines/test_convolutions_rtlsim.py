"""Any convolution the engine takes, on the generated Verilog: equal to golden and to a naive loop, to the bit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cortado.device.device import DeviceOptions
from cortado.device.rtlsim import RtlsimDevice
from cortado.engines.winograd import Winograd
from cortado.executor.executor import run_job
from cortado.gateware.descriptor import Flag
from cortado.gateware.mapping import Mapping
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution
from cortado.simulation.memory_model import MemoryModel

pytestmark = pytest.mark.rtlsim

MEMORY_BYTES = 2**22
LARGEST_CYCLES = 3_000_000
FEW = st.integers(1, 7)
FILLS = ("random", "lowest", "highest", "alternating", "sparse")

# One for each m. Buffers so small that an output of more than a dozen tiles takes several blocks, and one of a few
# channels several passes.
ENGINES = {
    2: {"m": 2, "pc": 2, "pk": 2, "beat_bits": 64, "largest_taps": 1100, "tiles": 12, "buffer_words": 96,
        "block_columns": 8},
    4: {"m": 4, "pc": 2, "pk": 1, "beat_bits": 128, "largest_taps": 1100, "tiles": 9, "buffer_words": 64,
        "block_columns": 6},
    6: {"m": 6, "pc": 1, "pk": 2, "beat_bits": 128, "largest_taps": 1100, "tiles": 6, "buffer_words": 64,
        "block_columns": 4},
}

# The formats of maps of 16 bits; one channel of a pixel is two bytes, and so is a weight of 16 bits.
WIDE_ENGINES = {
    "m 2, 16 x 8": {"m": 2, "pc": 2, "pk": 2, "data_bits": 16, "beat_bits": 64, "largest_taps": 1100, "tiles": 12,
                    "buffer_words": 96, "block_columns": 8},
    "m 4, 16 x 8": {"m": 4, "pc": 2, "pk": 1, "data_bits": 16, "beat_bits": 128, "largest_taps": 1100, "tiles": 9,
                    "buffer_words": 64, "block_columns": 6},
    "m 2, 16 x 16": {"m": 2, "pc": 1, "pk": 2, "data_bits": 16, "weight_bits": 16, "beat_bits": 64,
                     "largest_taps": 1100, "tiles": 12, "buffer_words": 96, "block_columns": 8},
    "m 4, 16 x 16": {"m": 4, "pc": 1, "pk": 1, "data_bits": 16, "weight_bits": 16, "beat_bits": 128,
                     "largest_taps": 1100, "tiles": 9, "buffer_words": 64, "block_columns": 6},
}
EVERY_ENGINE = {**ENGINES, **WIDE_ENGINES}
# An engine takes a minute to build: without `slow`, both formats of 16 bits have one.
SLOW_ENGINES = ("m 4, 16 x 8", "m 2, 16 x 16")


def engines(names: Iterable[int | str]) -> list:
    """Parameters of a test for these engines, some of them slow."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in SLOW_ENGINES else name for name in names]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A convolution to run; its numbers are drawn from `seed`, its maps and weights as their fills say."""

    batch: int
    channels: int
    filters: int
    size: tuple[int, int]
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    group: int = 1
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    relu: bool = False
    maps: str = "random"
    weights: str = "random"
    seed: int = 0
    data_bits: int = 8
    weight_bits: int = 8

    @property
    def out_size(self) -> tuple[int, int]:
        """Rows and columns of the output; below 1 where the kernel does not fit the padded map."""
        padded = (self.size[0] + self.pad[0] + self.pad[1], self.size[1] + self.pad[2] + self.pad[3])
        return tuple((size - dilation * (kernel - 1) - 1) // stride + 1 for size, kernel, stride, dilation in zip(
            padded, self.kernel, self.stride, self.dilation, strict=True))

    def source(self) -> np.ndarray:
        """The maps (N, C, H, W)."""
        return _fill(self.maps, (self.batch, self.channels, *self.size), self.data_bits,
                     np.random.default_rng(self.seed))

    def convolution(self) -> IntegerConvolution:
        """Half of the output channels end within the range of the maps, the others anywhere."""
        rng = np.random.default_rng(self.seed + 1)
        weight = _fill(self.weights, (self.filters, self.channels // self.group, *self.kernel), self.weight_bits, rng)
        spread = weight[0].size * 2 ** (self.data_bits + self.weight_bits - 2)
        within = rng.random(self.filters) < 0.5
        bias = np.where(within, rng.integers(-spread, spread, self.filters),
                        rng.integers(-2**31, 2**31, self.filters)).clip(-2**31, 2**31 - 1)
        most = min(49, 16 + max(1, spread.bit_length() - self.data_bits + 1))
        shift = np.where(within, rng.integers(16, most, self.filters),
                         rng.integers(0, 49, self.filters))
        return IntegerConvolution(
            weight=weight, bias=bias.astype(np.int32),
            multiplier=rng.integers(0, 2**16, self.filters).astype(np.uint16), shift=shift.astype(np.uint8),
            pad=self.pad, stride=self.stride, dilation=self.dilation, group=self.group, relu=self.relu,
            data_bits=self.data_bits)


def _fill(kind: str, shape: tuple[int, ...], bits: int, rng: np.random.Generator) -> np.ndarray:
    dtype, lowest, highest = f"int{bits}", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if kind == "lowest":
        return np.full(shape, lowest, dtype)
    if kind == "highest":
        return np.full(shape, highest, dtype)
    if kind == "alternating":
        return np.where(np.indices(shape)[-2:].sum(0) % 2, lowest, highest).astype(dtype)
    numbers = rng.integers(lowest, highest + 1, shape).astype(dtype)
    return numbers if kind == "random" else np.where(rng.random(shape) < 0.1, numbers, 0).astype(dtype)


def naive(source: np.ndarray, convolution: IntegerConvolution) -> np.ndarray:
    """The convolution by its definition, tap by tap in int64; each sum is brought back in whole numbers."""
    top, bottom, left, right = convolution.pad
    padded = np.pad(source.astype(np.int64), ((0, 0), (0, 0), (top, bottom), (left, right)))
    weight = convolution.weight.astype(np.int64)
    filters, depth, rows, columns = weight.shape
    (step_y, step_x), (spread_y, spread_x) = convolution.stride, convolution.dilation
    height = (padded.shape[2] - spread_y * (rows - 1) - 1) // step_y + 1
    width = (padded.shape[3] - spread_x * (columns - 1) - 1) // step_x + 1
    result = np.zeros((len(source), filters, height, width), source.dtype)
    for k in range(filters):
        first = k // (filters // convolution.group) * depth
        sums = np.full((len(source), height, width), int(convolution.bias[k]), np.int64)
        for c, r, s in np.ndindex(depth, rows, columns):
            taps = padded[:, first + c, r * spread_y:, s * spread_x:][:, ::step_y, ::step_x]
            sums += weight[k, c, r, s] * taps[:, :height, :width]
        result[:, k] = _bring_back(sums, int(convolution.multiplier[k]), int(convolution.shift[k]), convolution.relu,
                                   source.dtype)
    return result


def _bring_back(sums: np.ndarray, multiplier: int, shift: int, relu: bool, dtype: np.dtype) -> np.ndarray:
    """sums * multiplier / 2**shift rounded half to even, at most 62 bits on the way, then clipped."""
    products = sums * multiplier
    quotients = products >> shift
    twice_the_rest = 2 * (products - (quotients << shift))
    above, even_half = twice_the_rest > 1 << shift, (twice_the_rest == 1 << shift) & (quotients & 1 == 1)
    rounded = quotients + (above | even_half)
    limits = np.iinfo(dtype)
    return np.clip(rounded, 0 if relu else limits.min, limits.max).astype(dtype)


def memories(beat_bits: int) -> st.SearchStrategy[MemoryModel]:
    """Memories from ideal to slow and unsteady."""
    return st.builds(
        MemoryModel, latency_cycles=st.integers(1, 200), outstanding_bursts=st.integers(3, 16),
        beat_bits=st.just(beat_bits),
        stall_probability=st.just(0.0) | st.floats(0.0, 0.6, allow_subnormal=False), stall_seed=st.integers(0, 2**32))


@st.composite
def cases(draw: st.DrawFn, *, kernels: Sequence[int] = tuple(range(1, 8)), strides: Sequence[int] = (1, 2, 3, 4),
          dilations: Sequence[int] = (1, 2, 3), groups: Sequence[int] = (1, 2, 3), largest_edge: int = 20,
          out_edges: tuple[int, int] = (1, 20), channels: st.SearchStrategy[int] = FEW,
          filters: st.SearchStrategy[int] = FEW) -> Case:
    """A convolution; `channels` and `filters` are those of one group."""
    kernel = draw(st.tuples(*[st.sampled_from(kernels)] * 2) | st.sampled_from(kernels).map(lambda edge: (edge, edge)))
    stride = draw(st.just((1, 1)) | st.tuples(*[st.sampled_from(strides)] * 2))
    dilation = draw(st.just((1, 1)) | st.tuples(*[st.sampled_from(dilations)] * 2))
    group = draw(st.just(1) | st.sampled_from(groups))
    pad = tuple(draw(st.integers(0, 2 if edge < 4 else edge // 2)) for edge in (kernel[0], kernel[0], *[kernel[1]] * 2))
    size = tuple(_size(draw, axis, kernel, stride, dilation, pad, out_edges, largest_edge) for axis in (0, 1))
    return Case(
        batch=draw(st.integers(1, 3)), channels=group * draw(channels),
        filters=group * draw(filters), size=size, kernel=kernel, stride=stride, dilation=dilation,
        group=group, pad=pad, relu=draw(st.booleans()), maps=draw(st.sampled_from(FILLS)),
        weights=draw(st.sampled_from(FILLS)), seed=draw(st.integers(0, 2**32)))


def _size(draw: st.DrawFn, axis: int, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int],
          pad: tuple[int, ...], out_edges: tuple[int, int], largest: int) -> int:
    """An edge of the map for which the output has at least the least of `out_edges`."""
    least, most = ((edge - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1
                   - pad[2 * axis] - pad[2 * axis + 1] for edge in out_edges)
    least = max(1, least)
    return draw(st.integers(least, max(least, min(largest, most + stride[axis] - 1))))


@st.composite
def pairs(draw: st.DrawFn, drawn: st.SearchStrategy[Case]) -> tuple[Case, Case]:
    """Two cases of different shapes."""
    first, second = draw(drawn), draw(drawn)
    shape = {"maps": "random", "weights": "random", "relu": False, "seed": 0}
    return first, (second if replace(first, **shape) != replace(second, **shape)
                   else replace(second, batch=second.batch % 3 + 1))


def check(engine: Winograd, memory: MemoryModel, several: Sequence[Case]) -> None:
    """Run cases one after the other on one engine without a reset; each is golden's and the naive loop's to the bit."""
    options = DeviceOptions(memory_bytes=MEMORY_BYTES, memory=memory, max_cycles=LARGEST_CYCLES)
    with RtlsimDevice(options) as device:
        device.program(engine.design())
        for number, case in enumerate(several):
            source, convolution = case.source(), case.convolution()
            job = engine.job(f"case{number}", convolution, TensorShape(source.shape))
            result, counters = run_job(device, job, source)
            expected = convolution.golden(source)
            np.testing.assert_array_equal(expected, naive(source, convolution), err_msg=f"golden, {case}")
            np.testing.assert_array_equal(result, expected, err_msg=f"rtlsim, {case}")
            assert counters.cycles == counters.busy + sum(counters.idle.values())


def engine_of(name: int | str) -> Winograd:
    return Winograd.from_fields(EVERY_ENGINE[name])


def in_format(case: Case, engine: Winograd) -> Case:
    """The case with numbers of the engine's widths."""
    return replace(case, data_bits=engine.configuration.data_bits, weight_bits=engine.configuration.weight_bits)


def several_blocks(name: int | str) -> st.SearchStrategy[Case]:
    """Outputs of more tiles than the accumulators hold, and more channels in and out than two passes take."""
    fields = EVERY_ENGINE[name]
    m = fields["m"]
    # A tile of a 1 x 1 convolution has (m + 2)**2 outputs, the largest of all.
    least = next(edge for edge in range(100) if edge * edge > fields["tiles"] * (m + 2)**2)
    return cases(kernels=(1, 2, 3, 3, 3, 4, 5), strides=(1, 1, 2), dilations=(1, 1, 2), groups=(1, 2), largest_edge=60,
                 out_edges=(least, least + m), channels=st.integers(2 * fields["pc"] + 1, 9),
                 filters=st.integers(2 * fields["pk"] + 1, 9))


def part_of_the_lanes(name: int | str) -> st.SearchStrategy[Case]:
    """Channels in or out that leave lanes empty."""
    def beside(lanes: int) -> st.SearchStrategy[int]:
        return st.integers(1, 13).filter(lambda count: lanes == 1 or count % lanes)

    pc, pk, anything = EVERY_ENGINE[name]["pc"], EVERY_ENGINE[name]["pk"], st.integers(1, 13)
    wide = cases(groups=(1,), channels=beside(pc), filters=anything) if pc > 1 else st.nothing()
    return wide | (cases(groups=(1,), channels=anything, filters=beside(pk)) if pk > 1 else st.nothing())


def _examples(count: int) -> settings:
    # Building the engine in the first example is what the health checks would call too slow.
    return settings(derandomize=True, deadline=None, max_examples=count, suppress_health_check=list(HealthCheck))


def _check_drawn(draw: st.DataObject, name: int | str, drawn: st.SearchStrategy[Case]) -> None:
    engine = engine_of(name)
    memory = draw.draw(memories(engine.configuration.beat_bits))
    check(engine, memory, [in_format(case, engine) for case in draw.draw(pairs(drawn))])


@pytest.mark.parametrize("m", ENGINES)
@_examples(4)
@given(draw=st.data())
def test_convolutions_back_to_back(simulator_tools, m, draw):
    _check_drawn(draw, m, cases())


@pytest.mark.parametrize("name", engines(WIDE_ENGINES))
@_examples(3)
@given(draw=st.data())
def test_convolutions_of_16_bits_back_to_back(simulator_tools, name, draw):
    _check_drawn(draw, name, cases())


@pytest.mark.parametrize("m", ENGINES)
@_examples(1)
@given(draw=st.data())
def test_a_convolution_of_several_blocks_and_passes(simulator_tools, m, draw):
    _check_drawn(draw, m, several_blocks(m))


@pytest.mark.slow
@pytest.mark.parametrize("m", ENGINES)
@_examples(100)
@given(draw=st.data())
def test_many_convolutions_back_to_back(simulator_tools, m, draw):
    _check_drawn(draw, m, cases(kernels=range(1, 12), groups=(1, 2, 3, 5, 8)))


@pytest.mark.slow
@pytest.mark.parametrize("m", ENGINES)
@_examples(100)
@given(draw=st.data())
def test_many_convolutions_of_several_blocks_and_passes(simulator_tools, m, draw):
    _check_drawn(draw, m, several_blocks(m))


@pytest.mark.slow
@pytest.mark.parametrize("m", ENGINES)
@_examples(60)
@given(draw=st.data())
def test_many_convolutions_that_leave_lanes_empty(simulator_tools, m, draw):
    _check_drawn(draw, m, part_of_the_lanes(m))


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE_ENGINES)
@_examples(40)
@given(draw=st.data())
def test_many_convolutions_of_16_bits(simulator_tools, name, draw):
    """Three kinds of cases; each example is two of them back to back."""
    _check_drawn(draw, name, cases(kernels=range(1, 12), groups=(1, 2, 3, 5, 8)) | several_blocks(name)
                 | (part_of_the_lanes(name) if EVERY_ENGINE[name]["pc"] * EVERY_ENGINE[name]["pk"] > 1 else cases()))


@pytest.mark.parametrize("fill", ["lowest", "highest", "alternating"])
@pytest.mark.parametrize("name", engines(EVERY_ENGINE))
def test_extremes_of_every_mapping(simulator_tools, name, fill):
    """The largest sums: the lowest number everywhere gives the largest positive one of all."""
    engine = engine_of(name)
    shapes = (
        {"kernel": (3, 3), "channels": 40, "filters": 3, "size": (7, 9), "pad": (1, 1, 1, 1)},
        {"kernel": (1, 1), "channels": 40, "filters": 3, "size": (9, 5)},
        {"kernel": (5, 5), "channels": 11, "filters": 3, "size": (9, 7), "pad": (2, 2, 2, 2)},
        {"kernel": (11, 11), "channels": 3, "filters": 2, "size": (23, 19), "stride": (4, 4)},
    )
    check(engine, MemoryModel(beat_bits=engine.configuration.beat_bits),
          [in_format(Case(batch=1, maps=fill, weights=weights, seed=number, **shape), engine)
           for number, weights in enumerate(("lowest", "highest", "alternating")) for shape in shapes])


# The layers that decided what the engine has to take, as small as they can be without losing what is special in them.
PUBLISHED = {
    "AlexNet conv1": {"kernel": (11, 11), "stride": (4, 4), "channels": 3, "filters": 5, "size": (35, 35)},
    "AlexNet conv2": {"kernel": (5, 5), "channels": 6, "filters": 8, "size": (9, 9), "group": 2, "pad": (2, 2, 2, 2)},
    "GoogLeNet conv1": {"kernel": (7, 7), "stride": (2, 2), "channels": 3, "filters": 4, "size": (24, 24),
                        "pad": (3, 3, 3, 3)},
    "ResNet shortcut": {"kernel": (1, 1), "stride": (2, 2), "channels": 5, "filters": 6, "size": (14, 14)},
    "MobileNet depthwise": {"kernel": (3, 3), "channels": 6, "filters": 6, "group": 6, "size": (14, 14),
                            "pad": (1, 1, 1, 1)},
    "MobileNet depthwise, stride 2": {"kernel": (3, 3), "stride": (2, 2), "channels": 6, "filters": 6, "group": 6,
                                      "size": (14, 14), "pad": (1, 1, 1, 1)},
    "DeepLab dilated": {"kernel": (3, 3), "dilation": (2, 2), "channels": 4, "filters": 3, "size": (13, 13),
                        "pad": (2, 2, 2, 2)},
    "Inception 1x7": {"kernel": (1, 7), "channels": 4, "filters": 3, "size": (12, 12), "pad": (0, 0, 3, 3)},
    "an inner product": {"kernel": (1, 1), "channels": 30, "filters": 10, "size": (1, 1)},
}


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("m", ENGINES)
def test_layers_of_published_networks(simulator_tools, m, name):
    engine = engine_of(m)
    check(engine, MemoryModel(beat_bits=engine.configuration.beat_bits),
          [Case(batch=batch, **PUBLISHED[name], seed=batch) for batch in (1, 3)])


def _drawn(m: int, count: int, drawn: st.SearchStrategy[Case]) -> list[tuple[Case, Mapping, Flag]]:
    """Every case the suite above runs, with its mapping and the flags of all its descriptors."""
    engine, found = engine_of(m), []

    @_examples(count)
    @given(draw=st.data())
    def collect(draw: st.DataObject) -> None:
        draw.draw(memories(engine.configuration.beat_bits))
        for drawn_case in draw.draw(pairs(drawn)):
            case = in_format(drawn_case, engine)
            job = engine.job("case", case.convolution(), TensorShape((case.batch, case.channels, *case.size)))
            descriptors = job.descriptors(input_address=0, weights_address=0, output_address=0)
            found.append((case, job.mapping, reduce(or_, (descriptor.flags for descriptor in descriptors))))

    collect()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("m", ENGINES)
def test_the_cases_are_what_they_are_to_be(m):
    """What the suites claim to run is counted: strategies drift."""
    configuration = engine_of(m).configuration
    anything = _drawn(m, 100, cases(kernels=range(1, 12), groups=(1, 2, 3, 5, 8)))
    blocks = _drawn(m, 100, several_blocks(m))
    lanes = _drawn(m, 60, part_of_the_lanes(m))
    assert sum(len(mapping.blocking.tile_spans) > 1 and case.channels // case.group > 2 * configuration.pc
               and case.filters // case.group > 2 * configuration.pk for case, mapping, _ in blocks) >= 100
    assert sum(bool(case.channels % configuration.pc or case.filters % configuration.pk) for case, *_ in lanes) >= 50
    every = anything + blocks + lanes
    for arrangement in ("Plain", "Flat", "Mosaic", "SpaceToDepth"):
        assert sum(type(mapping.arrangement).__name__ == arrangement for _, mapping, _ in every) >= 20, arrangement
    for flag in (Flag.PLANES_FOLLOW, Flag.CONTINUES, Flag.UNFINISHED, Flag.EXCLUSIVE, Flag.JOINED_ROWS, Flag.POINTWISE):
        assert sum(bool(flags & flag) for *_, flags in every) >= 50, flag
