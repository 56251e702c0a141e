"""Renaming and counting of blobs, as several passes need it. No pass lives here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from cortado.graph.spec import LayerSpec, NetSpec


def rename_blobs(layer: LayerSpec, names: Mapping[str, str]) -> LayerSpec:
    """The layer with each bottom and top called as `names` says; others keep their names."""
    return replace(layer, bottoms=tuple(names.get(bottom, bottom) for bottom in layer.bottoms),
                   tops=tuple(names.get(top, top) for top in layer.tops))


def reader_counts(net: NetSpec) -> Counter[str]:
    """How many bottoms read each blob."""
    return Counter(bottom for layer in net.layers for bottom in layer.bottoms)


def input_blobs(net: NetSpec) -> frozenset[str]:
    """The blobs the caller fills; their names are not a pass's to change."""
    return frozenset(top for layer in net.layers if not layer.bottoms for top in layer.tops)


def output_blobs(net: NetSpec) -> frozenset[str]:
    """The blobs no layer reads, of a network without in-place layers; callers read them by name."""
    read = reader_counts(net)
    return frozenset(top for layer in net.layers for top in layer.tops if top not in read)
