from __future__ import annotations

from cortado.passes.drop_split import drop_split


def test_readers_read_what_it_read(network, wiring, trained, outputs, same):
    net = network("conv Convolution data -> a", "s Split a -> b c", "t Split c -> d e", "pool Pooling b -> p",
                  "relu ReLU d -> q", "next Convolution e -> r")
    weights = trained(net)
    dropped = drop_split(net)
    assert wiring(dropped) == ["conv data -> a", "pool a -> p", "relu a -> q", "next a -> r"]
    assert same(outputs(net, weights), outputs(dropped, weights))


def test_one_that_makes_an_output_stays(network):
    net = network("conv Convolution data -> a", "s Split a -> b c", "pool Pooling b -> p")
    assert drop_split(net) == net
