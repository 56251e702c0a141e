from __future__ import annotations

from cortado.passes.drop_dropout import drop_dropout


def test_its_readers_read_what_it_read(network, wiring):
    net = network("conv Convolution data -> a", "drop Dropout a -> b", "pool Pooling b -> c", "side ReLU a -> d")
    assert wiring(drop_dropout(net)) == ["conv data -> b", "pool b -> c", "side b -> d"]


def test_an_output_keeps_its_name(network, wiring):
    assert wiring(drop_dropout(network("conv Convolution data -> a", "drop Dropout a -> out"))) == ["conv data -> out"]


def test_an_input_keeps_its_name(network, wiring):
    net = network("drop Dropout data -> b", "pool Pooling b -> c", "side ReLU b -> d")
    assert wiring(drop_dropout(net)) == ["pool data -> c", "side data -> d"]


def test_an_output_made_of_an_input_stays(network, wiring):
    assert wiring(drop_dropout(network("drop Dropout data -> out"))) == ["drop data -> out"]


def test_one_after_another(network, wiring):
    net = network("conv Convolution data -> a", "d1 Dropout a -> b", "d2 Dropout b -> c", "pool Pooling c -> e")
    assert wiring(drop_dropout(net)) == ["conv data -> c", "pool c -> e"]
    net = network("d1 Dropout data -> b", "d2 Dropout b -> c", "pool Pooling c -> e")
    assert wiring(drop_dropout(net)) == ["pool data -> e"]


def test_two_of_one_value(network, wiring):
    net = network("conv Convolution data -> a", "d1 Dropout a -> b", "d2 Dropout a -> c", "p Pooling b -> e",
                  "q Pooling c -> f")
    assert wiring(drop_dropout(net)) == ["conv data -> c", "p c -> e", "q c -> f"]


def test_two_outputs_of_one_value(network, wiring):
    """One value cannot have two names, so the second Dropout stays."""
    net = network("conv Convolution data -> a", "d1 Dropout a -> b", "d2 Dropout a -> c")
    assert wiring(drop_dropout(net)) == ["conv data -> b", "d2 b -> c"]


def test_training_keeps_it(network):
    net = network("conv Convolution data -> a", "drop Dropout a -> b", phase="TRAIN")
    assert drop_dropout(net) is net
