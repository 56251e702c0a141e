from __future__ import annotations

import pytest

from cortado.graph.spec import LayerSpec, NetSpec, Position


def layer(name, **fields):
    return LayerSpec(name=name, type="ReLU", bottoms=("x",), tops=("x",), parameters=None, **fields)


def test_layer_by_name():
    net = NetSpec(name="n", phase="TEST", layers=(layer("a"), layer("b")))
    assert net.layer("b") is net.layers[1]
    with pytest.raises(LookupError) as caught:
        net.layer("c")
    assert str(caught.value) == "network 'n' has no layer 'c' (it has: a, b)"


def test_the_place_is_no_part_of_the_value():
    assert layer("a", position=Position("f", 1, 1)) == layer("a", position=Position("g", 2, 2))


def test_error_of_a_layer_made_in_code():
    assert str(layer("a").error("stride must be 1, not 2")) == "layer 'a': stride must be 1, not 2"


def test_another_weight_of_a_loss():
    net = NetSpec(name="n", phase="TRAIN", layers=(layer("a"), layer("b", loss_weights=(1.0,))))
    other = net.with_loss_weight("b", 0.25)
    assert [entry.loss_weights for entry in other.layers] == [(), (0.25,)]
    assert net.layer("b").loss_weights == (1.0,)
    with pytest.raises(LookupError):
        net.with_loss_weight("c", 1)
