"""The paper's own words in a network file: who runs the layer, and why."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from cortado.engines.winograd import Winograd
from cortado.errors import PlanError
from cortado.frontends.prototxt import parse_prototxt
from cortado.gateware.configuration import WinogradConfiguration
from cortado.net.shape_inference import infer_shapes
from cortado.planner.partition import choose_engines, partition
from cortado.planner.plan import Target


def placement(layer, batch=1, **options):
    """Of the layer `x` over 8 channels of 8x8."""
    net = parse_prototxt('name: "n" input: "data" input_shape { dim: 1 dim: 8 dim: 8 dim: 8 }\n'
                         f'layer {{ name: "x" bottom: "data" top: "x" {layer} }}')
    return partition(net, infer_shapes(net, batch=batch), Winograd(), **options).placement("x")


def convolution(words="", beside=""):
    return (f'type: "Convolution" {beside} convolution_param {{ num_output: 8 kernel_size: 3 pad: 1 {words} }}')


def inner_product(words="", beside=""):
    return f'type: "InnerProduct" {beside} inner_product_param {{ num_output: 8 {words} }}'


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
    (convolution("engine: OCL stride: 5"), Target.HOST, "winograd: vertical stride is 5; the engine takes 1 to 4"),
    (convolution("stride: 2"), Target.FPGA, "3x3 convolution"),
    (convolution("group: 4"), Target.FPGA, "3x3 convolution, 4 groups"),
    # Depthwise uses the engine badly and runs on it all the same.
    (convolution("group: 8"), Target.FPGA, "3x3 convolution, 8 groups"),
    ('type: "Convolution" convolution_param { num_output: 8 kernel_h: 1 kernel_w: 7 }', Target.FPGA,
     "1x7 convolution"),
    ('type: "Pooling" pooling_param { kernel_size: 2 engine: OCL }', Target.HOST,
     "winograd: type is Pooling; the engine takes Convolution and InnerProduct, and Pooling with pooling=1"),
    ('type: "LRN" lrn_param { engine: OCL }', Target.HOST,
     "winograd: type is LRN; the engine takes Convolution and InnerProduct"),
    ('type: "LRN"', Target.HOST, "LRN runs on the host"),
    (inner_product(), Target.HOST, "InnerProduct runs on the host"),
    (inner_product("engine: OCL"), Target.FPGA, "its file says engine: OCL"),
    (inner_product("", "ocl_enable: true"), Target.FPGA, "its file says ocl_enable: true"),
])
def test_words_of_the_file(layer, target, reason):
    place = placement(layer)
    assert (place.target, place.reason) == (target, reason)


def test_the_caller_goes_before_the_file():
    assert placement(convolution("subengine: DIRECT engine: CAFFE"), fpga=("x",)).target is Target.FPGA
    assert placement(convolution("engine: OCL", "ocl_enable: true"), host=("x",)).target is Target.HOST


@pytest.mark.parametrize(("layer", "batch", "options", "target", "reason"), [
    (inner_product(), 4, {}, Target.HOST, "InnerProduct runs on the host"),
    (inner_product(), 4, {"inner_products": True}, Target.FPGA, "inner product of 4 pictures"),
    (inner_product(), 1, {"inner_products": True}, Target.HOST,
     "inner product of one picture, which would wait for its weights"),
    (inner_product(), 1, {"inner_products": True, "fpga": ("x",)}, Target.FPGA, "asked for"),
    (inner_product(), 4, {"inner_products": True, "host": ("x",)}, Target.HOST, "kept on the host as asked"),
    (inner_product("engine: CAFFE"), 4, {"inner_products": True}, Target.HOST, "its file says engine: CAFFE"),
    (inner_product("", "ocl_enable: false"), 4, {"inner_products": True}, Target.HOST,
     "its file says ocl_enable: false"),
])
def test_inner_products_go_there_where_somebody_asks(layer, batch, options, target, reason):
    place = placement(layer, batch, **options)
    assert (place.target, place.reason) == (target, reason)


def test_an_fpga_layer_says_how_it_runs():
    place = placement(convolution("stride: 2"))
    assert place.mapping.cycles == place.estimate.cycles == place.mapping.alternatives[0].cycles
    assert placement(inner_product()).mapping is None


def test_strict_makes_what_the_file_asks_an_error():
    with pytest.raises(PlanError) as caught:
        placement(convolution("engine: OCL subengine: DIRECT"), strict=True)
    assert str(caught.value) == (
        "layer 'x': must run on the FPGA (its file says engine: OCL), but engine 'winograd' cannot take it: its file "
        "says subengine: DIRECT. Change the engine's configuration, or keep the layer on the host (--host x)")


TWO = """
name: "n" input: "data" input_shape { dim: 1 dim: 8 dim: 8 dim: 8 }
layer { name: "a" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "b" type: "Convolution" bottom: "a" top: "b"
        convolution_param { num_output: 2 kernel_size: 5 stride: 5 } }
layer { name: "c" type: "Softmax" bottom: "b" top: "c" }
"""


def cut_two(**options):
    net = parse_prototxt(TWO)
    return partition(net, infer_shapes(net, batch=3), Winograd(), **options)


def test_every_layer_is_placed_with_its_shapes_and_costs():
    cut = cut_two()
    assert cut.fpga_layers == ("a",)
    place = cut.placement("a")
    assert ([str(shape) for shape in place.bottoms], [str(shape) for shape in place.tops]) == (
        ["3x8x8x8"], ["3x4x6x6"])
    assert place.macs == 3 * 4 * 8 * 9 * 6 * 6
    assert (place.engine, place.wanted, place.estimate.macs) == ("winograd", True, place.macs)
    assert 0 < place.estimate.macs_per_multiplier_cycle <= 4
    fallen = cut.placement("b")
    assert (fallen.target, fallen.wanted, fallen.engine, fallen.estimate) == (Target.HOST, True, None, None)
    assert fallen.reason == "winograd: vertical stride is 5; the engine takes 1 to 4"
    host = cut.placement("c")
    assert (host.target, host.wanted, host.macs) == (Target.HOST, False, 0)


def test_strict_spares_what_is_kept_on_the_host():
    with pytest.raises(PlanError) as caught:
        cut_two(strict=True)
    assert str(caught.value) == (
        "layer 'b': must run on the FPGA (5x5 convolution), but engine 'winograd' cannot take it: vertical stride is "
        "5; the engine takes 1 to 4. Change the engine's configuration, or keep the layer on the host (--host b)")
    assert cut_two(strict=True, host=("b",)).placement("b").reason == "kept on the host as asked"


@pytest.mark.parametrize(("layer", "rejection"), [
    ("b", "vertical stride is 5; the engine takes 1 to 4"),
    ("c", "type is Softmax; the engine takes Convolution and InnerProduct"),
])
def test_a_layer_asked_for_that_cannot_run_there(layer, rejection):
    with pytest.raises(PlanError) as caught:
        cut_two(fpga=(layer,))
    assert str(caught.value) == (
        f"layer '{layer}': must run on the FPGA (asked for), but engine 'winograd' cannot take it: {rejection}. Change "
        f"the engine's configuration, or keep the layer on the host (--host {layer})")


@pytest.mark.parametrize(("options", "message"), [
    ({"fpga": ("d",)}, "network 'n' has no layer 'd' to put on the FPGA (it has: input, a, b, c)"),
    ({"host": ("a", "d")}, "network 'n' has no layer 'd' to put on the host (it has: input, a, b, c)"),
    ({"fpga": ("a",), "host": ("a", "b")},
     "layer 'a' must be on the FPGA or on the host, it was asked to be on both"),
])
def test_wishes_that_make_no_sense(options, message):
    with pytest.raises(PlanError) as caught:
        cut_two(**options)
    assert str(caught.value) == message


def test_each_layer_gets_the_engine_with_the_fewest_cycles():
    """On a 6 x 6 map one tile of m = 6 does what four of m = 4 do, on a 4 x 4 map both need one."""
    net = parse_prototxt('name: "two" ' + "".join(
        f'layer {{ name: "in{size}" type: "Input" top: "in{size}" input_param {{ shape {{ dim: 1 dim: 64 dim: {size} '
        f'dim: {size} }} }} }} layer {{ name: "x{size}" type: "Convolution" bottom: "in{size}" top: "x{size}" '
        'convolution_param { num_output: 64 kernel_size: 3 pad: 1 } } ' for size in (4, 6)))
    small = Winograd(configuration=WinogradConfiguration(m=4, pc=4, pk=4))
    large = Winograd(configuration=WinogradConfiguration(m=6, pc=1, pk=4))
    cut = partition(net, infer_shapes(net), small, other_engines=(large,))
    chosen = {name: cut.engine_of(name) for name in cut.fpga_layers}
    for name, engine in chosen.items():
        layer, bottoms = net.layer(name), cut.placement(name).bottoms
        assert engine.estimate(layer, bottoms).cycles == min(
            other.estimate(layer, bottoms).cycles for other in (small, large))
    assert chosen["x4"] is small


@pytest.mark.parametrize(("program_cycles", "expected"), [
    # Each where it is cheapest; it pays to change twice; once; not at all.
    (0, "abab"), (2, "abab"), (4, "aaab"), (100, "aaaa"),
])
def test_programming_in_between_has_a_price(program_cycles, expected):
    engines = {name: Winograd(configuration=WinogradConfiguration(m=2, pc=1, pk=pk))
               for name, pk in (("a", 1), ("b", 2))}
    costs = ((10, 30), (15, 10), (10, 16), (20, 10))
    choices = [list(zip(engines.values(), cycles, strict=True)) for cycles in costs]
    # Every way to choose, one after the other.
    totals = {way: sum(cost["ab".index(name)] for name, cost in zip(way, costs, strict=True))
              + program_cycles * sum(one != other for one, other in pairwise(way))
              for way in map("".join, product("ab", repeat=len(costs)))}
    assert min(totals, key=totals.get) == expected
    assert choose_engines(choices, program_cycles) == [engines[name] for name in expected]


def test_a_layer_only_one_engine_takes_has_that_one():
    small, large = (Winograd(configuration=WinogradConfiguration(m=2, pc=1, pk=pk)) for pk in (1, 2))
    choices = [[(small, 10), (large, 1)], [(small, 10)], [(small, 10), (large, 1)]]
    assert choose_engines(choices, 5) == [large, small, large]
    assert choose_engines(choices, 10) == [small, small, small]
    assert choose_engines([], 10) == []


def test_engines_of_one_plan_have_one_format_of_maps():
    net = parse_prototxt('name: "n" layer { name: "data" type: "Input" top: "data" '
                         'input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }')
    narrow, wide = (Winograd(configuration=WinogradConfiguration(m=2, pc=1, pk=1, data_bits=bits)) for bits in (8, 16))
    with pytest.raises(PlanError, match=(
            r"^engine configuration: data_bits must be 8 as in the first one, not 16: a blob has one format$")):
        partition(net, infer_shapes(net), narrow, other_engines=(wide,))
