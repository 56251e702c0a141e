"""The paper's own words in a network file: who runs the layer, and why."""

from __future__ import annotations

import pytest

from cortado.engines.winograd import Winograd
from cortado.errors import PlanError
from cortado.frontends.prototxt import parse_prototxt
from cortado.net.shape_inference import infer_shapes
from cortado.planner.partition import partition
from cortado.planner.plan import Target


def placement(layer, **options):
    """Of the layer `x` over 8 channels of 8x8."""
    net = parse_prototxt('name: "n" input: "data" input_shape { dim: 1 dim: 8 dim: 8 dim: 8 }\n'
                         f'layer {{ name: "x" bottom: "data" top: "x" {layer} }}')
    return partition(net, infer_shapes(net), Winograd(), **options).placement("x")


def convolution(words="", beside=""):
    return (f'type: "Convolution" {beside} convolution_param {{ num_output: 8 kernel_size: 3 pad: 1 {words} }}')


@pytest.mark.parametrize(("layer", "target", "reason"), [
    (convolution(), Target.FPGA, "3x3 convolution"),
    (convolution("engine: OCL"), Target.FPGA, "its file says engine: OCL"),
    (convolution("engine: OCL subengine: WINOGRAD"), Target.FPGA, "its file says engine: OCL"),
    (convolution("engine: OCL subengine: WINOGRAD", "ocl_enable: true"), Target.FPGA,
     "its file says ocl_enable: true"),
    (convolution("engine: OCL subengine: DIRECT"), Target.HOST, "winograd: its file says subengine: DIRECT"),
    (convolution("subengine: DIRECT"), Target.HOST, "winograd: its file says subengine: DIRECT"),
    (convolution("engine: CAFFE"), Target.HOST, "its file says engine: CAFFE"),
    (convolution("engine: OCL", "ocl_enable: false"), Target.HOST, "its file says ocl_enable: false"),
    (convolution("engine: CAFFE", "ocl_enable: true"), Target.FPGA, "its file says ocl_enable: true"),
    (convolution("engine: OCL stride: 2"), Target.HOST, "winograd: stride is 2x2; the engine takes 1x1"),
    ('type: "Pooling" pooling_param { kernel_size: 2 engine: OCL }', Target.HOST,
     "winograd: type is Pooling; the engine takes Convolution"),
    ('type: "LRN" lrn_param { engine: OCL }', Target.HOST, "winograd: type is LRN; the engine takes Convolution"),
    ('type: "LRN"', Target.HOST, "LRN runs on the host"),
])
def test_words_of_the_file(layer, target, reason):
    place = placement(layer)
    assert (place.target, place.reason) == (target, reason)


def test_the_caller_goes_before_the_file():
    assert placement(convolution("subengine: DIRECT engine: CAFFE"), fpga=("x",)).target is Target.FPGA
    assert placement(convolution("engine: OCL", "ocl_enable: true"), host=("x",)).target is Target.HOST


def test_strict_makes_what_the_file_asks_an_error():
    with pytest.raises(PlanError) as caught:
        placement(convolution("engine: OCL subengine: DIRECT"), strict=True)
    assert str(caught.value) == (
        "layer 'x': must run on the FPGA (its file says engine: OCL), but engine 'winograd' cannot take it: its file "
        "says subengine: DIRECT. Change the engine's configuration, or keep the layer on the host (--host x)")
