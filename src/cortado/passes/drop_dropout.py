"""Pass: Dropout is the identity outside training, so a TEST network does without."""

from __future__ import annotations

from dataclasses import replace

from cortado.graph.spec import NetSpec
from cortado.passes.blob_names import input_blobs, output_blobs, rename_blobs


def drop_dropout(net: NetSpec) -> NetSpec:
    """The network without its Dropout layers; a TRAIN network is returned as it is.

    Asks for a network without in-place layers. What a dropped layer read takes the name of what it made, except that
    inputs and outputs of the network keep theirs; a Dropout that stands between two of them stays.
    """
    if net.phase != "TEST":
        return net
    fixed = input_blobs(net) | output_blobs(net)
    for dropout in net.layers:
        if dropout.type == "Dropout":
            net = _without(net, dropout.name, fixed)
    return net


def _without(net: NetSpec, name: str, fixed: frozenset[str]) -> NetSpec:
    """The network without the Dropout of that name, unless both of its blobs are `fixed`."""
    dropout = net.layer(name)
    bottom, top = dropout.bottoms[0], dropout.tops[0]
    if bottom in fixed and top in fixed:
        return net
    names = {top: bottom} if bottom in fixed else {bottom: top}
    return replace(net, layers=tuple(rename_blobs(layer, names) for layer in net.layers if layer is not dropout))
