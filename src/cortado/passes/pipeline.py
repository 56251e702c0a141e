"""The passes in order, each result checked."""

from __future__ import annotations

from collections.abc import Callable

from cortado.graph.check import check
from cortado.graph.spec import NetSpec
from cortado.passes.drop_dropout import drop_dropout
from cortado.passes.fuse_relu import fuse_relu
from cortado.passes.join_scales import join_scales
from cortado.passes.resolve_in_place import resolve_in_place

# Dropout goes before ReLUs are fused: it may stand between a layer and its ReLU.
PASSES: tuple[Callable[[NetSpec], NetSpec], ...] = (resolve_in_place, drop_dropout, fuse_relu, join_scales)


def prepare(net: NetSpec) -> NetSpec:
    """The network as the planner takes it: one name per value, nothing idle, ReLUs fused, scales joined."""
    check(net)
    for step in PASSES:
        net = step(net)
        check(net)
    return net
