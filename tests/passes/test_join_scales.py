from __future__ import annotations

from dataclasses import replace

from cortado.layers.pooling import PoolMethod
from cortado.passes.join_scales import join_scales


def groups(net):
    return [sorted(group) for group in join_scales(net).scale_groups]


def test_maximum_pooling_and_relu_join_both_sides(network):
    net = network("conv Convolution data -> a", "pool Pooling a -> b", "relu ReLU b -> c", "next Convolution c -> d",
                  "last Pooling d -> e")
    assert groups(net) == [["a", "b", "c"], ["d", "e"]]


def test_branches_of_one_value_are_one_group(network):
    net = network("conv Convolution data -> a", "p Pooling a -> b", "q Pooling a -> c", "r ReLU c -> d")
    assert groups(net) == [["a", "b", "c", "d"]]


def test_groups_that_meet_become_one(network):
    """The second pooling reads what the first group and a group made before have in common."""
    net = network("p Pooling data -> a", "q Pooling data -> b")
    earlier = replace(net, scale_groups=(frozenset({"b"}),))
    assert groups(earlier) == [["a", "b", "data"]]


def test_average_pooling_has_a_scale_of_its_own(network):
    net = network("pool Pooling data -> a")
    pool = net.layer("pool")
    average = replace(pool, parameters=replace(pool.parameters, pool=PoolMethod.AVE))
    assert groups(replace(net, layers=(net.layers[0], average))) == []


def test_concat_and_slice_join_all_they_touch(network):
    net = network("conv Convolution data -> a", "cut Slice a -> b c", "one Convolution b -> d", "relu ReLU c -> e",
                  "join Concat d e -> f", "flat Flatten f -> g", "ip InnerProduct g -> h")
    assert groups(net) == [["a", "b", "c", "d", "e", "f", "g"]]


def test_sums_and_normalisations_join_nothing(network):
    assert groups(network("sum Eltwise data data -> a", "norm LRN a -> b", "scale Scale b -> c")) == []
