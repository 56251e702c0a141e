"""Pass: Dropout is the identity outside training, so a TEST network does without."""

from __future__ import annotations

from dataclasses import replace

from cortado.graph.spec import LayerSpec, NetSpec
from cortado.passes.blob_names import input_blobs, rename_blobs


def drop_dropout(net: NetSpec) -> NetSpec:
    """The network without its Dropout layers; a TRAIN network is returned as it is.

    Asks for a network without in-place layers. What a dropped layer read takes the name of what it made; where it
    read a network input, the input keeps its name, and a Dropout that makes an output of an input stays.
    """
    if net.phase != "TEST":
        return net
    inputs = input_blobs(net)
    read = {bottom for layer in net.layers for bottom in layer.bottoms}
    layers = list(net.layers)
    for dropout in net.layers:
        # As it stands now: dropping another may have renamed its bottom.
        place = next(index for index, layer in enumerate(layers) if layer.name == dropout.name)
        layer = layers[place]
        if layer.type != "Dropout" or (layer.bottoms[0] in inputs and layer.tops[0] not in read):
            continue
        del layers[place]
        layers = [rename_blobs(other, _renaming(layer, inputs)) for other in layers]
    return replace(net, layers=tuple(layers))


def _renaming(dropout: LayerSpec, inputs: frozenset[str]) -> dict[str, str]:
    bottom, top = dropout.bottoms[0], dropout.tops[0]
    return {top: bottom} if bottom in inputs else {bottom: top}
