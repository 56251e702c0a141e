"""Pass: a Split only gives one value several names, so a network does without."""

from __future__ import annotations

from dataclasses import replace

from cortado.graph.spec import NetSpec
from cortado.passes.blob_names import output_blobs, rename_blobs


def drop_split(net: NetSpec) -> NetSpec:
    """The network without its Split layers: who read a top reads the bottom.

    Asks for a network without in-place layers. A Split that makes an output of the network stays, since callers read
    that by name. Nothing needs a Split put in: a value may have any number of readers.
    """
    outputs = output_blobs(net)
    names: dict[str, str] = {}
    layers = []
    for layer in net.layers:
        layer = rename_blobs(layer, names)
        if layer.type == "Split" and outputs.isdisjoint(layer.tops):
            names.update(dict.fromkeys(layer.tops, layer.bottoms[0]))
        else:
            layers.append(layer)
    return replace(net, layers=tuple(layers))
