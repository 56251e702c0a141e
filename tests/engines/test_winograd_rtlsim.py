"""Whole layers on the generated Verilog: equal to golden and to a naive loop, with every cycle accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cortado.device.driver import Driver
from cortado.device.simulated_transport import SimulatedTransport
from cortado.engines.job import Job
from cortado.engines.winograd import Winograd
from cortado.gateware.arrangement import Plain
from cortado.gateware.blocking import Blocking
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.convolution_shape import ConvolutionShape
from cortado.gateware.descriptor import DESCRIPTOR_BYTES
from cortado.gateware.mapping import Mapping
from cortado.numerics.convolution import IntegerConvolution
from cortado.simulation.build import build_library
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator
from cortado.simulation.verilog import to_verilog

pytestmark = pytest.mark.rtlsim

MEMORY_BYTES = 2**22
PAGE_BYTES = 4096
FILLS = ("random", "lowest", "highest", "alternating", "sparse")

# Between them: m 2, 4 and 6; a beat of several pixels and of one; a row of a tile that is a part of a beat, a beat, and
# two; buffers so small that one layer takes many blocks, one or two of them at a time.
CONFIGURATIONS = {
    "m2": WinogradConfiguration(m=2, pc=2, pk=1, beat_bits=64, largest_taps=216, tiles=12, buffer_words=48,
                                block_columns=8),
    "m4": WinogradConfiguration(m=4, pc=4, pk=2, beat_bits=128, largest_taps=216, tiles=9, buffer_words=40,
                                block_columns=6),
    "m6": WinogradConfiguration(m=6, pc=1, pk=2, beat_bits=128, largest_taps=216, tiles=6, buffer_words=24,
                                block_columns=4),
    "wide": WinogradConfiguration(m=2, pc=4, pk=8, beat_bits=64, largest_taps=216, tiles=12, buffer_words=36,
                                  block_columns=5),
}

# An engine takes a minute to build: without `slow`, m = 6 is simulated by the tests of general convolutions.
SOME = [*("m2", "m4"), *(pytest.param(name, marks=pytest.mark.slow) for name in ("m6", "wide"))]

# The far corners of the legal range.
CORNERS = {
    "widest port": WinogradConfiguration(m=4, pc=1, pk=1, beat_bits=512, largest_taps=144, tiles=20,
                                         buffer_words=160, block_columns=20),
    "one pixel a beat": WinogradConfiguration(m=2, pc=16, pk=1, beat_bits=128, largest_taps=360, tiles=16,
                                              buffer_words=24, block_columns=9),
    "one channel in": WinogradConfiguration(m=2, pc=1, pk=16, beat_bits=128, largest_taps=54, tiles=7,
                                            buffer_words=24, block_columns=3),
    "four beats a row": WinogradConfiguration(m=4, pc=2, pk=8, beat_bits=64, largest_taps=90, tiles=4,
                                              buffer_words=20, block_columns=4),
    "smallest block": WinogradConfiguration(m=4, pc=1, pk=8, beat_bits=64, largest_taps=27, tiles=5, buffer_words=9,
                                            block_columns=2),
}


@dataclass(frozen=True)
class Layer:
    """A layer to run; its numbers are drawn from `seed`."""

    blocking: Blocking
    relu: bool
    activations: str
    weights: str
    seed: int

    @property
    def shape(self) -> ConvolutionShape:
        return self.blocking.shape

    def source(self) -> np.ndarray:
        shape = self.shape
        return _fill(self.activations, (shape.batch, shape.channels, shape.height, shape.width),
                     np.random.default_rng(self.seed))

    def convolution(self) -> IntegerConvolution:
        rng, shape = np.random.default_rng(self.seed + 1), self.shape
        weight = _fill(self.weights, (shape.filters, shape.channels, *shape.kernel), rng)
        # Half of the channels end within the range, the others anywhere.
        spread = weight[0].size * 2**14
        within = rng.random(shape.filters) < 0.5
        bias = np.where(within, rng.integers(-spread, spread, shape.filters),
                        rng.integers(-2**31, 2**31, shape.filters))
        shift = np.where(within, rng.integers(16, 16 + spread.bit_length() - 7, shape.filters),
                         rng.integers(0, 49, shape.filters))
        return IntegerConvolution(
            weight=weight, bias=bias.astype(np.int32),
            multiplier=rng.integers(0, 2**16, shape.filters).astype(np.uint16), shift=shift.astype(np.uint8),
            pad=shape.pad, stride=shape.stride, dilation=shape.dilation, relu=self.relu)


def _fill(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if kind == "lowest":
        return np.full(shape, -128, np.int8)
    if kind == "highest":
        return np.full(shape, 127, np.int8)
    if kind == "alternating":
        return np.where(np.indices(shape)[-2:].sum(0) % 2, -128, 127).astype(np.int8)
    numbers = rng.integers(-128, 128, shape).astype(np.int8)
    return numbers if kind == "random" else np.where(rng.random(shape) < 0.1, numbers, 0).astype(np.int8)


def legal_cuts(configuration: WinogradConfiguration, shape: ConvolutionShape, *,
               pointwise: bool = False) -> list[Blocking]:
    """Every way the engine can run the layer in, with as many filters at once as its sums have room for."""
    width = configuration.point_pixels if pointwise else configuration.m
    tiles_y, tiles_x = 1 if pointwise else -(-shape.out_height // width), -(-shape.out_width // width)
    planes = -(-shape.channels // configuration.pc) * (1 if pointwise else len(shape.views))
    filters = -(-shape.filters // configuration.pk)
    cuts = []
    for rows in range(1, tiles_y + 1):
        for columns in range(1, min(tiles_x, configuration.tiles if pointwise else configuration.block_columns) + 1):
            ends_on_a_beat = columns * width * configuration.pk % configuration.beat_bytes == 0
            if rows * columns > configuration.tiles or not (columns == tiles_x or ends_on_a_beat):
                continue
            for at_once in range(1, planes + 1):
                kept = filters if at_once == planes else min(filters, configuration.tiles // (rows * columns))
                cuts.append(Blocking(configuration=configuration, shape=shape, pointwise=pointwise, rows=rows,
                                     columns=columns, planes_at_once=at_once, filters_at_once=kept))
    return [cut for cut in cuts if cut.block_words <= configuration.buffer_words]


@st.composite
def layers(draw: st.DrawFn, configuration: WinogradConfiguration, *, several_blocks: bool = False) -> Layer:
    """Any layer of one group, in any legal cut; with `several_blocks` one of several blocks and passes."""
    ones, pair = st.just((1, 1)), st.tuples(st.integers(1, 3), st.integers(1, 3))
    pointwise = draw(st.sampled_from([False, False, True]))
    kernel, stride, dilation, pad = (1, 1), (1, 1), (1, 1), (0, 0, 0, 0)
    if not pointwise:
        kernel = draw(st.just((3, 3)) | st.tuples(st.integers(1, 5), st.integers(1, 5)))
        stride, dilation, pad = draw(ones | pair), draw(ones | pair), draw(st.tuples(*[st.integers(0, 2)] * 4))
    pc, pk = configuration.pc, configuration.pk
    most = configuration.largest_taps // (kernel[0] * kernel[1])
    reach = [(size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True)]
    low = [max(3 * configuration.m * step if several_blocks else 1, size - first - last)
           for size, step, first, last in zip(reach, stride, pad[::2], pad[1::2], strict=True)]
    shape = ConvolutionShape(
        batch=draw(st.integers(1, 3)),
        channels=draw(st.integers(min(most, pc + 1 if several_blocks else 1), min(most, 3 * pc)) | st.just(most)),
        filters=draw(st.integers(pk + 1 if several_blocks else 1, 3 * pk + 1)),
        height=1 if pointwise else draw(st.integers(low[0], low[0] + 20)),
        width=draw(st.integers(low[1], low[1] + (200 if pointwise else 20))),
        pad=pad, kernel=kernel, stride=stride, dilation=dilation)
    cuts = [cut for cut in legal_cuts(configuration, shape, pointwise=pointwise)
            if len(cut.tile_spans) > 1 or not several_blocks]
    assume(cuts)
    return Layer(draw(st.sampled_from(cuts)), draw(st.booleans()), draw(st.sampled_from(FILLS)),
                 draw(st.sampled_from(FILLS)), draw(st.integers(0, 2**32)))


def memories(configuration: WinogradConfiguration) -> st.SearchStrategy[MemoryModel]:
    """Memories from ideal to slow and unsteady.

    Three bursts at least: two may be descriptors that wait for the engine.
    """
    return st.builds(
        MemoryModel, latency_cycles=st.integers(1, 200), outstanding_bursts=st.integers(3, 16),
        beat_bits=st.just(configuration.beat_bits),
        stall_probability=st.just(0.0) | st.floats(0.0, 0.6, allow_subnormal=False), stall_seed=st.integers(0, 2**32))


def naive(source: np.ndarray, convolution: IntegerConvolution) -> np.ndarray:
    """The convolution tap by tap in int64, and each sum brought back as an exact fraction."""
    top, bottom, left, right = convolution.pad
    padded = np.pad(source.astype(np.int64), ((0, 0), (0, 0), (top, bottom), (left, right)))
    filters, channels, rows, columns = convolution.weight.shape
    (down, across), (apart, beside) = convolution.stride, convolution.dilation
    height = (padded.shape[2] - (rows - 1) * apart - 1) // down + 1
    width = (padded.shape[3] - (columns - 1) * beside - 1) // across + 1
    result = np.zeros((len(source), filters, height, width), np.int8)
    for k in range(filters):
        sums = np.full((len(source), height, width), int(convolution.bias[k]), np.int64)
        for c, r, s in np.ndindex(channels, rows, columns):
            seen = padded[:, c, r * apart :: down, s * beside :: across][:, :height, :width]
            sums += int(convolution.weight[k, c, r, s]) * seen
        multiplier, divisor = int(convolution.multiplier[k]), 2 ** int(convolution.shift[k])
        values, places = np.unique(sums, return_inverse=True)
        # Python rounds fractions half to even.
        numbers = [min(max(round(Fraction(int(value) * multiplier, divisor)), 0 if convolution.relu else -128), 127)
                   for value in values]
        result[:, k] = np.array(numbers, np.int8)[places].reshape(sums.shape)
    return result


def golden_layer(layer: Layer) -> np.ndarray:
    """The layer's output by the golden model: int8 (N, K, H, W)."""
    return layer.convolution().golden(layer.source())


def rtl_layer(simulator: Simulator, layer: Layer, rng: np.random.Generator) -> np.ndarray:
    """The layer's output by the simulated engine: int8 (N, K, H, W).

    The memory is full of noise, and whatever is not the output must still hold it afterwards.
    """
    configuration = layer.blocking.configuration
    job = Job(layer="case", convolution=layer.convolution(), mapping=Mapping(Plain(layer.shape), layer.blocking))
    packed = {"input": job.source.pack(layer.source()), "weights": job.weights,
              "descriptors": np.zeros(job.descriptor_count * DESCRIPTOR_BYTES, np.uint8),
              "output": np.zeros(job.target.size_bytes, np.uint8)}
    addresses, end = {}, PAGE_BYTES
    for name, content in packed.items():
        addresses[name] = end
        end += -(-content.nbytes // PAGE_BYTES) * PAGE_BYTES + PAGE_BYTES
    descriptors = job.descriptors(input_address=addresses["input"], weights_address=addresses["weights"],
                                  output_address=addresses["output"])
    packed["descriptors"] = np.concatenate(
        [descriptor.encode(configuration.hash) for descriptor in descriptors]).view(np.uint8)
    before = rng.integers(0, 256, MEMORY_BYTES, np.uint8)
    for name in ("input", "weights", "descriptors"):
        before[addresses[name] : addresses[name] + packed[name].nbytes] = packed[name]
    simulator.memory_write(0, before)

    counters = Driver(SimulatedTransport.over(simulator)).run(addresses["descriptors"], job.descriptor_count,
                                                              max_cycles=2_000_000)

    after = simulator.memory_read(0, MEMORY_BYTES)
    written = slice(addresses["output"], addresses["output"] + job.target.size_bytes)
    output = after[written].copy()
    after[written] = before[written]
    assert np.array_equal(after, before), "the engine wrote outside its output"
    check_counters(layer, counters)
    maps = job.target.unpack(output)
    check_lanes(layer, job, output)
    return maps


def check_counters(layer: Layer, counters: object) -> None:
    """Each cycle is busy or idle for one cause, and the busy ones are the tile products of the layer."""
    shape, configuration, blocking = layer.shape, layer.blocking.configuration, layer.blocking
    width = configuration.point_pixels if blocking.pointwise else configuration.m
    tiles = (1 if blocking.pointwise else -(-shape.out_height // width)) * -(-shape.out_width // width)
    views = 1 if blocking.pointwise else len(shape.views)
    passes = views * -(-shape.channels // configuration.pc) * -(-shape.filters // configuration.pk)
    assert counters.busy == shape.batch * tiles * passes
    assert counters.cycles == counters.busy + sum(counters.idle.values())


def check_lanes(layer: Layer, job: Job, output: np.ndarray) -> None:
    """Channels beyond the last are zero, as the next layer's input needs them."""
    configuration, shape = layer.blocking.configuration, layer.shape
    pixels = output.reshape(shape.batch, job.target.layout.blocks, shape.out_height, -1)
    pixels = pixels[..., : shape.out_width * configuration.pk].reshape(
        shape.batch, job.target.layout.blocks, shape.out_height, shape.out_width, configuration.pk)
    beyond = job.target.layout.blocks * configuration.pk - shape.filters
    assert not pixels[:, -1, ..., configuration.pk - beyond :].any()


def check_layers(configuration: WinogradConfiguration, memory: MemoryModel, several: list[Layer]) -> None:
    """Run layers one after the other on one simulator, without a reset; each equals golden and the naive loop."""
    design = Winograd(configuration=configuration).design()
    library = build_library(design.configuration_hash, lambda: to_verilog(design.component()), design.beat_bits)
    rng = np.random.default_rng(several[0].seed)
    with Simulator(library, memory, MEMORY_BYTES) as simulator:
        for layer in several:
            expected = golden_layer(layer)
            np.testing.assert_array_equal(rtl_layer(simulator, layer, rng), expected)
            np.testing.assert_array_equal(expected, naive(layer.source(), layer.convolution()))


def _examples(count: int) -> settings:
    # Building the engine in the first example is what the health checks would call too slow.
    return settings(derandomize=True, deadline=None, max_examples=count, suppress_health_check=list(HealthCheck))


def _draw_back_to_back(draw: st.DataObject, configuration: WinogradConfiguration) -> None:
    check_layers(configuration, draw.draw(memories(configuration)),
                 draw.draw(st.lists(layers(configuration), min_size=1, max_size=3)))


def _draw_several_blocks(draw: st.DataObject, configuration: WinogradConfiguration) -> None:
    check_layers(configuration, draw.draw(memories(configuration)),
                 [draw.draw(layers(configuration, several_blocks=True))])


@pytest.mark.parametrize("name", SOME)
@_examples(12)
@given(draw=st.data())
def test_layers_back_to_back(simulator_tools, name, draw):
    _draw_back_to_back(draw, CONFIGURATIONS[name])


@pytest.mark.parametrize("name", SOME)
@_examples(12)
@given(draw=st.data())
def test_layers_of_several_blocks_and_passes(simulator_tools, name, draw):
    _draw_several_blocks(draw, CONFIGURATIONS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGURATIONS)
@_examples(500)
@given(draw=st.data())
def test_many_layers_back_to_back(simulator_tools, name, draw):
    _draw_back_to_back(draw, CONFIGURATIONS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGURATIONS)
@_examples(300)
@given(draw=st.data())
def test_many_layers_of_several_blocks_and_passes(simulator_tools, name, draw):
    _draw_several_blocks(draw, CONFIGURATIONS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", CORNERS)
@_examples(100)
@given(draw=st.data())
def test_corners_of_the_legal_range(simulator_tools, name, draw):
    _draw_back_to_back(draw, CORNERS[name])


@pytest.mark.slow
def test_rows_of_the_next_block_wait(simulator_tools):
    """Blocks one tile wide, whose rows are two beats each: rows of the second came while the first was written."""
    configuration = CONFIGURATIONS["wide"]
    shape = ConvolutionShape(batch=1, channels=1, filters=1, height=15, width=6, pad=(0, 0, 0, 0))
    blocking = Blocking(configuration=configuration, shape=shape, rows=3, columns=1, planes_at_once=1,
                        filters_at_once=1)
    layer = Layer(blocking, False, "random", "random", 0)
    check_layers(configuration, MemoryModel(latency_cycles=19, outstanding_bursts=3, beat_bits=64), [layer])


@pytest.mark.parametrize("fill", ["lowest", "highest", "alternating"])
@pytest.mark.parametrize("name", SOME)
def test_extremes_at_the_most_channels(simulator_tools, name, fill):
    """The largest sums the configuration is sized for, in both signs."""
    configuration = CONFIGURATIONS[name]
    shape = ConvolutionShape(batch=1, channels=configuration.largest_taps // 9, filters=configuration.pk + 1, height=9,
                             width=7, pad=(1, 1, 1, 1))
    cut = legal_cuts(configuration, shape)[-1]
    check_layers(configuration, MemoryModel(beat_bits=configuration.beat_bits),
                 [Layer(cut, False, fill, weights, seed) for seed, weights in enumerate(FILLS)])
