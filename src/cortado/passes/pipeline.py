"""The passes in order, each result checked."""

from __future__ import annotations

from collections.abc import Callable

from cortado.graph.check import check
from cortado.graph.spec import NetSpec, Weights
from cortado.passes.drop_dropout import drop_dropout
from cortado.passes.drop_split import drop_split
from cortado.passes.fold_batch_norm import fold_batch_norm
from cortado.passes.fuse_relu import fuse_relu
from cortado.passes.join_scales import join_scales
from cortado.passes.resolve_in_place import resolve_in_place
from cortado.passes.split_shared import split_shared

Pass = Callable[[NetSpec, Weights], tuple[NetSpec, Weights]]


def of_network(step: Callable[[NetSpec], NetSpec]) -> Pass:
    """A pass that leaves the weights alone, in the form of one that does not."""
    return lambda net, weights: (step(net), weights)


# Dropout and Split go before layers are folded and fused: they may stand between a layer and what is to be part of it.
# Batch normalisation is folded before ReLUs are fused: it stands between a layer and its ReLU.
PASSES: tuple[Pass, ...] = (split_shared, of_network(resolve_in_place), of_network(drop_dropout),
                            of_network(drop_split), fold_batch_norm, of_network(fuse_relu), of_network(join_scales))


def prepare(net: NetSpec, weights: Weights) -> tuple[NetSpec, Weights]:
    """The network as the planner takes it, with its weights: one name per value, nothing idle, batch normalisation
    folded, ReLUs fused, scales joined.

    `weights` are those of every trained layer, in the shapes of the network (see `net.weights`). Raises `GraphError`
    and `WeightsError`.
    """
    check(net)
    for step in PASSES:
        net, weights = step(net, weights)
        check(net)
    return net, weights
