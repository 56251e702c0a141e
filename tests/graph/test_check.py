from __future__ import annotations

import pytest

from cortado.errors import GraphError, LayerError
from cortado.graph.check import check
from cortado.graph.spec import LayerSpec, NetSpec, Position


def layer(name, bottoms, tops, position=None):
    return LayerSpec(name=name, type="Any", bottoms=tuple(bottoms.split()), tops=tuple(tops.split()), parameters=None,
                     position=position)


def net(*layers, scale_groups=()):
    return NetSpec(name="n", phase="TEST", layers=layers, scale_groups=scale_groups)


def refusal(network):
    with pytest.raises(GraphError) as caught:
        check(network)
    return str(caught.value)


def test_a_network_that_fits():
    check(net(
        layer("data", "", "x label"),
        layer("conv", "x", "y"),
        layer("relu", "y", "y"),
        layer("drop", "y", "y"),
        layer("loss", "y label", "loss"),
        scale_groups=(frozenset({"x", "y"}),),
    ))


def test_layer_names_are_unique():
    assert refusal(net(layer("a", "", "x"), layer("b", "x", "y"), layer("a", "y", "z"))) == (
        "layer 'a': layer names must be unique, 2 layers of network 'n' have this one")


def test_bottom_nobody_produces():
    assert refusal(net(layer("a", "", "x"), layer("b", "x y", "z"))) == (
        "layer 'b': bottom 1 'y' is produced by nobody")


def test_in_place_layers_alone_produce_nothing():
    assert refusal(net(layer("a", "x", "x"), layer("b", "x", "x"))) == "layer 'a': bottom 0 'x' is produced by nobody"


def test_wrong_order():
    assert refusal(net(layer("b", "x", "y"), layer("a", "", "x"))) == (
        "layer 'b': bottom 0 'x' is produced only later, by layer 'a'; layers run in the order of the file")


def test_cycle_of_two():
    assert refusal(net(layer("data", "", "d"), layer("a", "d y", "x"), layer("b", "x", "y"))) == (
        "layer 'a': bottom 1 'y' closes a cycle of layers: 'a' -> 'b' -> 'a'")


def test_cycle_is_named_by_a_shortest_way():
    layers = (layer("a", "z", "x"), layer("side", "x", "s"), layer("b", "x", "y"), layer("c", "y s", "z"))
    assert refusal(net(*layers)) == (
        "layer 'a': bottom 0 'z' closes a cycle of layers: 'a' -> 'side' -> 'c' -> 'a'")


def test_top_with_two_producers():
    assert refusal(net(layer("a", "", "x"), layer("b", "x", "y"), layer("c", "x", "y"))) == (
        "layer 'c': top 0 'y' is already produced by layer 'b'; only a layer that reads it as its bottom 0 may "
        "overwrite it")


def test_in_place_at_another_index():
    assert refusal(net(layer("a", "", "x y"), layer("b", "x y", "y"))) == (
        "layer 'b': top 0 'y' is already produced by layer 'a'; only a layer that reads it as its bottom 0 may "
        "overwrite it")


def test_one_top_twice():
    assert refusal(net(layer("a", "", "x x"))) == "layer 'a': tops must be different blobs, 'x' is named twice"


def test_scale_group_of_an_unknown_blob():
    assert refusal(net(layer("a", "", "x"), scale_groups=(frozenset({"x", "w"}),))) == (
        "network 'n': scale group ['w', 'x'] names 'w', which no layer produces")


def test_overlapping_scale_groups():
    groups = (frozenset({"x", "y"}), frozenset({"y"}))
    assert refusal(net(layer("a", "", "x y"), scale_groups=groups)) == (
        "network 'n': blob 'y' must be in one scale group, not in two")


def test_errors_have_the_place_of_the_layer():
    with pytest.raises(LayerError) as caught:
        check(net(layer("b", "x", "y", Position("net.prototxt", 4, 7))))
    assert str(caught.value) == "net.prototxt:4:7: layer 'b': bottom 0 'x' is produced by nobody"
    assert caught.value.layer == "b"
