"""Pass: a convolution of g groups becomes g convolutions, since an engine takes one group only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from cortado.graph.spec import LayerSpec, NetSpec, Weights
from cortado.layers.concat import ConcatParameters
from cortado.layers.slice import SliceParameters


def split_groups(net: NetSpec, weights: Weights, names: Collection[str]) -> tuple[NetSpec, Weights]:
    """The network with each convolution in `names` as Slice, one convolution a group, and Concat.

    The parts are called NAME/group1, NAME/group2 ... and take what is fused into the whole: an activation acts on each
    value by itself. Asks for a network without in-place layers and shared blobs.
    """
    changed = dict(weights)
    layers: list[LayerSpec] = []
    for layer in net.layers:
        if layer.name not in names:
            layers.append(layer)
            continue
        groups = layer.parameters.group
        parts = tuple(group_part(layer, group) for group in range(groups))
        layers.append(LayerSpec(name=f"{layer.name}/slice", type="Slice", bottoms=layer.bottoms,
                                tops=tuple(part.bottoms[0] for part in parts), parameters=SliceParameters(),
                                position=layer.position))
        layers.extend(parts)
        layers.append(LayerSpec(name=f"{layer.name}/concat", type="Concat",
                                bottoms=tuple(part.tops[0] for part in parts), tops=layer.tops,
                                parameters=ConcatParameters(), position=layer.position))
        # Output channels are in the order of the groups, so are the rows of weight and bias.
        rows = [np.split(blob, groups) for blob in changed.pop(layer.name)]
        changed.update({part.name: blobs for part, *blobs in zip(parts, *rows, strict=True)})
    return replace(net, layers=tuple(layers)), {name: tuple(blobs) for name, blobs in changed.items()}


def group_part(layer: LayerSpec, group: int) -> LayerSpec:
    """The convolution of one group, counted from 0, of a grouped one."""
    name = f"{layer.name}/group{group + 1}"
    parameters = replace(layer.parameters, group=1, num_output=layer.parameters.num_output // layer.parameters.group)
    return replace(layer, name=name, bottoms=(f"{layer.bottoms[0]}@{name}",), tops=(f"{layer.tops[0]}@{name}",),
                   parameters=parameters, part_of=layer.name, blob_settings=(), loss_weights=())
