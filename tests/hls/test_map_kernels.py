"""Kernels from map to map, the fused pipeline and the inner product, against the exact integers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.hls.conftest import engine, whole_range

from cortado.engines.winograd import Winograd
from cortado.errors import LayerError
from cortado.executor.executor import run_job
from cortado.graph.shape import TensorShape
from cortado.hls.compilation import build_kernels
from cortado.hls.convolution_call import FUSED, ConvolutionCalls
from cortado.hls.fused_call import FusedCalls
from cortado.hls.kernel_library import KernelLibrary
from cortado.hls.render import kernel_files
from cortado.hls.weight_packing import pack_inner_product
from cortado.numerics.convolution import IntegerConvolution
from cortado.numerics.elementwise_add import IntegerAdd
from cortado.numerics.leaky_relu import leaky_relu
from cortado.numerics.pooling import IntegerPooling, PoolingKind

INT8 = np.dtype(np.int8)


@pytest.fixture
def taken() -> Winograd:
    return engine("m 4")


@pytest.fixture
def library(taken: Winograd) -> KernelLibrary:
    return KernelLibrary(build_kernels(kernel_files(taken.configuration), (FUSED, "relu", "inner_product")))


@pytest.mark.parametrize("kind", list(PoolingKind))
@pytest.mark.parametrize("window", [
    {"kernel": (3, 3), "stride": (2, 2)}, {"kernel": (2, 2), "stride": (2, 2), "round_up": False},
    {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1)}, {"kernel": (3, 2), "stride": (1, 3), "pad": (2, 1)},
    {"kernel": None}, {"kernel": (5, 5), "stride": (3, 3)}], ids=str)
def test_pooling(csim, taken, rng, kind, window):
    pooling = IntegerPooling(kind=kind, factor=1.0 if kind is PoolingKind.MAX else 1.7, **window)
    maps = whole_range(rng, (2, 6, 13, 11), INT8)
    csim.program(taken.design())
    result, _ = run_job(csim, taken.map_job("pool", pooling, TensorShape(maps.shape)), maps)
    np.testing.assert_array_equal(result, pooling.golden(maps))


@pytest.mark.parametrize(("factors", "relu"), [((0.7, 1.3), True), ((-0.1, 3.0), False), ((100, 2), False)])
def test_elementwise_add(csim, taken, rng, factors, relu):
    addition = IntegerAdd.from_scale(factors, relu=relu)
    operands = [whole_range(rng, (2, 5, 7, 9), INT8) for _ in range(2)]
    csim.program(taken.design())
    result, _ = run_job(csim, taken.map_job("add", addition, TensorShape(operands[0].shape)), *operands)
    np.testing.assert_array_equal(result, addition.golden(*operands))


@pytest.mark.parametrize("slope", [0, 1, 26, 128, 255])
def test_relu_of_every_number(library, slope):
    numbers = np.arange(256, dtype=np.uint8).view(np.int8)
    result = np.empty_like(numbers)
    library.call("relu", numbers.view(np.uint8), result.view(np.uint8), numbers.size // 16, slope)
    np.testing.assert_array_equal(result, leaky_relu(numbers, slope))


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (16, 16), (37, 21), (200, 5)])
def test_inner_product(library, taken, rng, inputs, outputs):
    convolution = IntegerConvolution(
        weight=whole_range(rng, (outputs, inputs, 1, 1), INT8),
        bias=rng.integers(-9999, 9999, outputs).astype(np.int32),
        multiplier=np.full(outputs, 50000, np.uint16), shift=np.full(outputs, 24, np.uint8), relu=True, slope=77)
    numbers = whole_range(rng, (1, inputs, 1, 1), INT8)
    packed = np.zeros(-(-inputs // 16) * 16, np.uint8)
    packed[:inputs] = numbers.view(np.uint8).reshape(-1)
    output = np.zeros(-(-outputs // 16) * 16, np.uint8)
    library.call("inner_product", packed, pack_inner_product(convolution, taken.configuration), output, inputs, outputs)
    np.testing.assert_array_equal(output[:outputs].view(np.int8), convolution.golden(numbers).reshape(-1))


@pytest.mark.parametrize("edge", [2, 3])
@pytest.mark.parametrize("round_up", [True, False])
@pytest.mark.parametrize("size", [(8, 8), (13, 11), (9, 22), (6, 3), (3, 5), (21, 24), (14, 13)])
def test_convolution_relu_and_pooling_in_one_pass(library, taken, rng, size, edge, round_up):
    group = 1 + size[0] % 2
    convolution = IntegerConvolution(
        weight=whole_range(rng, (6 * group, 8 // group, 3, 3), INT8), group=group,
        bias=rng.integers(-999, 999, 6 * group).astype(np.int32), multiplier=np.full(6 * group, 50000, np.uint16),
        shift=np.full(6 * group, 26, np.uint8), pad=(1, 1, 1, 1), relu=True)
    maps = whole_range(rng, (1, 8, *size), INT8)
    job = taken.job("conv", convolution, TensorShape(maps.shape))
    pooling = IntegerPooling(kind=PoolingKind.MAX, kernel=(edge, edge), stride=(2, 2), round_up=round_up)
    fused = FusedCalls(convolution=ConvolutionCalls(job=job), pooling=pooling)
    output, weights = np.zeros(fused.target.size_bytes, np.uint8), fused.convolution.weights
    assert len(fused.calls()) == group
    for call in fused.calls():
        library.run(call, job.source.pack(maps), weights, output)
    np.testing.assert_array_equal(fused.target.unpack(output), pooling.golden(convolution.golden(maps)))


POOL = IntegerPooling(kind=PoolingKind.MAX, kernel=(3, 3), stride=(2, 2))


@pytest.mark.parametrize(("kernel", "width", "pooling", "message"), [
    (5, 9, POOL, ("the fused HLS kernel takes a 3x3 convolution of stride 1, one picture after the other, not "
                  "winograd, 4 pieces, plain")),
    (3, 9, replace(POOL, pad=(1, 1)), ("the fused HLS kernel pools the maximum of 2x2 or 3x3 with stride 2 and no "
                                       "padding, not max of (3, 3) with stride (2, 2) and padding (1, 1)")),
    # Windows of 3 reach into the next row of eleven tiles.
    (3, 45, POOL, ("no block of it fits the HLS kernel 'convolution_relu_pool': the least has 22 tiles, there are sums "
                   "for 20 (tiles of the configuration)")),
])
def test_what_the_fused_kernel_takes(taken, kernel, width, pooling, message):
    convolution = IntegerConvolution(
        weight=np.ones((4, 4, kernel, kernel), np.int8), bias=np.zeros(4, np.int32), multiplier=np.ones(4, np.uint16),
        shift=np.zeros(4, np.uint8))
    job = taken.job("wide", convolution, TensorShape((1, 4, 9, width)))
    with pytest.raises(LayerError) as caught:
        FusedCalls(convolution=ConvolutionCalls(job=job), pooling=pooling).calls()
    assert str(caught.value) == f"layer 'wide': {message}"
