"""The Winograd engine as the planner sees it: what it takes, what it makes of a layer, which circuit it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cortado.engines.engine import engine_types
from cortado.engines.winograd import Winograd
from cortado.errors import ConfigurationError
from cortado.frontends.prototxt import parse_prototxt
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.descriptor import Flag
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution


def rejection(fields: str, shape: tuple[int, ...] = (1, 4, 8, 8), **configuration: int) -> str | None:
    """What the engine says of a convolution with these fields on a blob of this shape."""
    dims = " ".join(f"dim: {dim}" for dim in shape)
    net = parse_prototxt(f'input: "data" input_shape {{ {dims} }} layer {{ name: "conv" bottom: "data" top: "conv" '
                         f'{fields} }}')
    return Winograd.from_fields(dict(configuration)).rejects(net.layers[1], (TensorShape(shape),))


def convolution(fields: str = "num_output: 2 kernel_size: 3") -> str:
    return f'type: "Convolution" convolution_param {{ {fields} }}'


def inner_product(filters: int) -> str:
    return f'type: "InnerProduct" inner_product_param {{ num_output: {filters} }}'


@pytest.mark.parametrize(("fields", "shape"), [
    (convolution(), (1, 4, 8, 8)),
    (convolution("num_output: 1 kernel_h: 3 kernel_w: 3 pad: 2 bias_term: false"), (1, 4, 8, 8)),
    (convolution("num_output: 700 kernel_size: 3 pad_h: 1 pad_w: 0"), (1, 4, 8, 8)),
    (convolution("num_output: 6 kernel_h: 1 kernel_w: 11 pad_h: 3 pad_w: 16 stride_h: 4 stride_w: 3 group: 2"),
     (3, 4, 8, 8)),
    (convolution("num_output: 2 kernel_size: 3 dilation: 16 pad: 16"), (1, 1, 8, 8)),
    # AlexNet's first layer, GoogLeNet's, a pointwise one, a depthwise one.
    (convolution("num_output: 96 kernel_size: 11 stride: 4"), (1, 3, 227, 227)),
    (convolution("num_output: 64 kernel_size: 7 stride: 2 pad: 3"), (1, 3, 224, 224)),
    (convolution("num_output: 16 kernel_size: 1"), (2, 528, 14, 14)),
    (convolution("num_output: 12 kernel_size: 3 group: 12 stride: 2"), (1, 12, 15, 15)),
    (convolution("num_output: 2 kernel_size: 3"), (1, 512, 4, 4096)),
    (inner_product(10), (8, 32, 4, 4)),
    (inner_product(1000), (1, 4608, 1, 1)),
])
def test_takes(fields, shape):
    assert rejection(fields, shape) is None


@pytest.mark.parametrize(("fields", "shape", "words"), [
    ('type: "Pooling" pooling_param { kernel_size: 2 }', (1, 4, 8, 8),
     "type is Pooling; the engine takes Convolution and InnerProduct, and Pooling with pooling=1"),
    ('type: "LRN"', (1, 4, 8, 8), "type is LRN; the engine takes Convolution and InnerProduct"),
    (convolution("num_output: 2 kernel_h: 12 kernel_w: 3"), (1, 4, 20, 8),
     "kernel height is 12; the engine takes 1 to 11"),
    (convolution("num_output: 2 kernel_h: 1 kernel_w: 13"), (1, 4, 8, 20),
     "kernel width is 13; the engine takes 1 to 11"),
    (convolution("num_output: 2 kernel_size: 3 stride_h: 5 stride_w: 1"), (1, 4, 8, 8),
     "vertical stride is 5; the engine takes 1 to 4"),
    (convolution("num_output: 2 kernel_size: 3 stride_h: 1 stride_w: 6"), (1, 4, 8, 8),
     "horizontal stride is 6; the engine takes 1 to 4"),
    (convolution("num_output: 2 kernel_size: 2 dilation: 17"), (1, 4, 20, 20),
     "vertical dilation is 17; the engine takes 1 to 16"),
    (convolution("num_output: 2 kernel_size: 3 pad_h: 1 pad_w: 17"), (1, 4, 8, 8),
     "pad is 17; the engine takes 0 to 16"),
    (convolution(), (1, 513, 8, 8),
     "C * kernel height * kernel width is 4617; the engine takes 1 to 4608 (largest_taps of the configuration)"),
    (convolution("num_output: 2 kernel_size: 1"), (1, 4609, 8, 8),
     "C * kernel height * kernel width is 4609; the engine takes 1 to 4608 (largest_taps of the configuration)"),
    (inner_product(2), (1, 9, 23, 23),
     "C * kernel height * kernel width is 4761; the engine takes 1 to 4608 (largest_taps of the configuration)"),
    (convolution(), (1, 1, 4097, 8), "map height is 4097; the engine takes 1 to 4096"),
    (convolution(), (1, 1, 8, 4097), "map width is 4097; the engine takes 1 to 4096"),
])
def test_rejects(fields, shape, words):
    assert rejection(fields, shape) == words


def test_limits_are_those_of_the_configuration():
    assert rejection(convolution(), (1, 9, 8, 8), largest_taps=72) == (
        "C * kernel height * kernel width is 81; the engine takes 1 to 72 (largest_taps of the configuration)")
    assert rejection(convolution(), (1, 8, 8, 8), largest_taps=72) is None
    # Products of one output: those of a group count.
    assert rejection(convolution("num_output: 4 kernel_size: 3 group: 2"), (1, 16, 8, 8), largest_taps=72) is None


def test_rejects_a_block_that_does_not_fit():
    # A block that stops short of the edge must end on a beat: 16 tiles of 4 pixels of 1 channel in 512 bits.
    configuration = {"pc": 1, "pk": 1, "beat_bits": 512, "largest_taps": 144, "buffer_words": 8}
    words = ("layer 'conv': no block of tiles fits the engine: the narrowest that ends on a beat is 16 tiles wide, "
             "which is more than ")
    assert rejection(convolution(), (1, 16, 8, 200), **configuration) == words + "buffer_words = 8 takes"
    assert rejection(convolution(), (1, 16, 8, 200), **configuration | {"tiles": 8}) == words + "tiles = 8 takes"
    assert rejection(convolution(), (1, 16, 8, 200), **configuration | {"block_columns": 4}) == (
        words + "block_columns = 4 takes")


def test_rejects_more_output_channels_than_sixteen_bits_count_blocks():
    assert rejection(convolution("num_output: 65536 kernel_size: 3"), (1, 1, 4, 4), pc=1, pk=1) == (
        "output channels is 65536; the engine takes 1 to 65535 (65535 blocks of pk)")


def test_rejects_what_is_fused_unless_it_is_a_relu_it_has():
    def fused(slope: float, leaky: int = 0) -> str | None:
        net = parse_prototxt(
            f'input: "data" input_shape {{ dim: 1 dim: 4 dim: 8 dim: 8 }} '
            f'layer {{ name: "conv" bottom: "data" top: "conv" {convolution()} }} layer {{ name: "relu" type: "ReLU" '
            f'bottom: "conv" top: "conv" relu_param {{ negative_slope: {slope} }} }}')
        engine = Winograd.from_fields({"leaky": leaky})
        return engine.rejects(replace(net.layers[1], fused=(net.layers[2],)), (TensorShape((1, 4, 8, 8)),))

    assert fused(0.0) is None
    assert fused(0.1) == (
        "'relu' (ReLU) is fused into it; the engine takes a ReLU of slope 0 (and leaky ones with leaky=1)")
    assert fused(0.1, leaky=1) is None
    assert fused(-0.1, leaky=1) == "'relu' (ReLU) is fused into it; the engine takes a ReLU of slope 0 to 255/256"


@pytest.mark.parametrize(("fields", "words"), [
    ({"q": 1}, ("engine configuration: unknown field 'q' (known: m, pc, pk, data_bits, weight_bits, beat_bits, "
                "largest_taps, tiles, buffer_words, block_columns, leaky, pooling, elementwise_add, "
                "pooling_row_beats)")),
    ({"m": 3}, "engine configuration: m must be one of 2, 4, 6, not 3"),
    ({"pc": True}, "engine configuration: pc must be one of 1, 2, 4, 8, 16, not True"),
    ({"pk": 3}, "engine configuration: pk must be one of 1, 2, 4, 8, 16, not 3"),
    ({"data_bits": 12}, "engine configuration: data_bits must be one of 8, 16, not 12"),
    ({"weight_bits": 4}, "engine configuration: weight_bits must be one of 8, 16, not 4"),
    ({"beat_bits": 32}, "engine configuration: beat_bits must be one of 64, 128, 256, 512, not 32"),
    ({"largest_taps": 8}, "engine configuration: largest_taps must be from 9 to 131071, not 8"),
    ({"tiles": 3}, "engine configuration: tiles must be from 4 to 1024, not 3"),
    ({"buffer_words": 2**15}, "engine configuration: buffer_words must be from 4 to 16384, not 32768"),
    ({"block_columns": 0}, "engine configuration: block_columns must be from 1 to 256, not 0"),
    ({"pc": 16, "beat_bits": 64}, "engine configuration: pc must be at most the 8 bytes of a 64-bit beat, not 16"),
])
def test_fields_outside_the_legal_range(fields, words):
    with pytest.raises(ConfigurationError) as caught:
        Winograd.from_fields(fields)
    assert str(caught.value) == words


def test_it_is_found_by_name():
    assert engine_types["winograd"] is Winograd
    with pytest.raises(LookupError) as caught:
        engine_types["winogard"]
    assert str(caught.value) == "unknown engine 'winogard'; did you mean 'winograd'? (known: winograd)"


def test_the_job_is_the_layer_cut_into_descriptors(rng):
    engine = Winograd.from_fields({"m": 2, "pc": 2, "pk": 2, "tiles": 4, "beat_bits": 64})
    layer = IntegerConvolution(
        weight=rng.integers(-128, 128, (3, 5, 3, 3)).astype(np.int8), bias=np.zeros(3, np.int32),
        multiplier=np.full(3, 2**15, np.uint16), shift=np.full(3, 25, np.uint8), pad=(1, 1, 1, 1))
    job = engine.job("conv", layer, TensorShape((2, 5, 7, 6)))
    assert (job.layer, job.configuration_hash) == ("conv", engine.configuration.hash)
    assert (job.source.size_bytes, job.target.size_bytes) == (2 * 3 * 7 * 2 * 8, 2 * 2 * 7 * 2 * 8)
    # Nine bytes a kernel: two filter blocks of 2 records of 8 bytes and 3 passes of 36 bytes, filled up to 40.
    assert job.weights.nbytes == 2 * (2 * 8 + 3 * 40)
    descriptors = job.descriptors(input_address=0x1000, weights_address=0x2000, output_address=0x3000)
    assert len(descriptors) == job.descriptor_count
    assert [bool(descriptor.flags & Flag.LAST) for descriptor in descriptors] == (
        [False] * (len(descriptors) - 1) + [True])
    # Two pictures of 4 x 3 tiles, each exactly once.
    assert sum(descriptor.tile_rows * descriptor.tile_columns for descriptor in descriptors) == 2 * 4 * 3
    assert {descriptor.channel_blocks for descriptor in descriptors} == {3}
    assert {descriptor.filter_blocks for descriptor in descriptors} == {2}
    assert job.estimate.macs == 2 * 3 * 5 * 9 * 7 * 6


def test_the_design_names_its_configuration():
    configuration = WinogradConfiguration(m=2, pc=2, pk=1, beat_bits=64, largest_taps=216, tiles=12,
                                          buffer_words=48, block_columns=8)
    design = Winograd(configuration=configuration).design()
    assert (design.engine, design.configuration_hash, design.beat_bits) == ("winograd", configuration.hash, 64)
    assert Winograd(configuration=configuration).multipliers == 4 * 4 * 2 * 1
    ports = design.ports
    assert ports["clk"] == ports["rst"] == {"direction": "input", "width": 1}
    assert ports["irq"] == {"direction": "output", "width": 1}
    assert ports["s_axi_control_awaddr"] == {"direction": "input", "width": 12}
    assert ports["m_axi_araddr"] == {"direction": "output", "width": 32}
    assert ports["m_axi_rdata"] == {"direction": "input", "width": 64}
    assert ports["m_axi_wdata"] == {"direction": "output", "width": 64}
    assert ports["m_axi_wstrb"] == {"direction": "output", "width": 8}


def test_the_hash_names_every_field():
    base = WinogradConfiguration()
    others = [WinogradConfiguration(**{name: value}) for name, value in (
        ("m", 2), ("pc", 2), ("pk", 2), ("beat_bits", 64), ("largest_taps", 2304), ("tiles", 128),
        ("buffer_words", 1024), ("block_columns", 32))]
    assert len({base.hash, *(other.hash for other in others)}) == 9
    assert base.hash == WinogradConfiguration().hash
