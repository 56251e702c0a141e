"""Pass: every value gets its own name, so that a blob name means one tensor."""

from __future__ import annotations

from dataclasses import replace

from cortado.graph.spec import NetSpec
from cortado.passes.blob_names import input_blobs


def resolve_in_place(net: NetSpec) -> NetSpec:
    """The network without in-place layers.

    The last value of a blob keeps its name, since callers read it; an earlier one is called `blob@layer` after the
    layer that computes it. Of a network input it is the first value that keeps the name, since callers fill it.
    """
    versions: dict[str, int] = {}
    for layer in net.layers:
        for top in layer.tops:
            versions[top] = versions.get(top, 0) + 1
    inputs = input_blobs(net)
    current: dict[str, str] = {}
    seen: dict[str, int] = {}
    layers = []
    for layer in net.layers:
        bottoms = tuple(current[bottom] for bottom in layer.bottoms)
        for top in layer.tops:
            seen[top] = seen.get(top, 0) + 1
            keeps_name = seen[top] == (1 if top in inputs else versions[top])
            current[top] = top if keeps_name else f"{top}@{layer.name}"
        layers.append(replace(layer, bottoms=bottoms, tops=tuple(current[top] for top in layer.tops)))
    return replace(net, layers=tuple(layers))
