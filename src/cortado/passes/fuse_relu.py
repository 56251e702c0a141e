"""Pass: a ReLU right behind a convolution or inner product becomes part of it."""

from __future__ import annotations

from dataclasses import replace

from cortado.graph.spec import LayerSpec, NetSpec
from cortado.passes.blob_names import reader_counts

# The layer types whose engines and host forms end in an activation.
TAKES_RELU = ("Convolution", "InnerProduct")


def fuse_relu(net: NetSpec) -> NetSpec:
    """The network with each such ReLU in `fused` of the layer before it, which then makes the ReLU's top.

    Asks for a network without in-place layers. A value that anybody else reads keeps its own ReLU, and so does a second
    ReLU behind the first: two leaky ones are none that an engine has.
    """
    readers = reader_counts(net)
    producers: dict[str, LayerSpec] = {}
    layers: list[LayerSpec] = []
    for layer in net.layers:
        producer = producers.get(layer.bottoms[0]) if layer.type == "ReLU" else None
        takes_it = producer is not None and producer.type in TAKES_RELU and not producer.fused
        if takes_it and readers[layer.bottoms[0]] == 1:
            fused = replace(producer, tops=layer.tops, fused=(layer,))
            layers[layers.index(producer)] = fused
        else:
            fused = layer
            layers.append(layer)
        producers.update(dict.fromkeys(fused.tops, fused))
    return replace(net, layers=tuple(layers))
