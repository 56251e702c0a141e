"""Pass: which blobs must share one quantisation scale."""

from __future__ import annotations

from dataclasses import replace

from cortado.graph.spec import NetSpec
from cortado.layers.layer import layer_types


def join_scales(net: NetSpec) -> NetSpec:
    """The network with `scale_groups` filled: blobs joined by a layer that only passes on values of its bottoms.

    With one scale for all its blobs such a layer runs on integers as they are, and a value that is in range before it
    is in range behind it: maximum pooling, Concat, Slice, Reshape, a plain ReLU. The layer type says so itself
    (`Layer.keeps_scale`). Average pooling is none: a mean lies between its values but is not one of them, so it is
    rounded anew in any case, and over a whole map it is so much smaller than they are that their scale would cost it
    bits. Asks for a network without in-place layers.
    """
    groups: list[frozenset[str]] = list(net.scale_groups)
    for layer in net.layers:
        if not layer_types[layer.type].keeps_scale(layer):
            continue
        joined = frozenset((*layer.bottoms, *layer.tops))
        touching = [group for group in groups if group & joined]
        groups = [group for group in groups if not group & joined]
        groups.append(joined.union(*touching))
    return replace(net, scale_groups=tuple(sorted(groups, key=sorted)))
