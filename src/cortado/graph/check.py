"""The rules every network keeps, in whatever room it was made: run after reading and after each pass."""

from __future__ import annotations

from collections import Counter

from cortado.errors import GraphError
from cortado.graph.spec import LayerSpec, NetSpec


def check(net: NetSpec) -> None:
    """Raise `GraphError` unless the layers of `net` fit together.

    Layer names are unique, each bottom is a top of an earlier layer, each blob has one producer (a later layer may
    overwrite it in place: top i is bottom i), and scale groups name blobs of the network and do not overlap.
    """
    _check_names(net)
    _check_bottoms(net)
    _check_tops(net)
    _check_scale_groups(net)


def _check_names(net: NetSpec) -> None:
    for name, count in Counter(layer.name for layer in net.layers).items():
        if count > 1:
            second = [layer for layer in net.layers if layer.name == name][1]
            raise second.error(f"layer names must be unique, {count} layers of network '{net.name}' have this one")


def _check_bottoms(net: NetSpec) -> None:
    produced: set[str] = set()
    for place, layer in enumerate(net.layers):
        for index, bottom in enumerate(layer.bottoms):
            if bottom not in produced:
                raise _unknown_bottom(net, place, index)
        produced.update(layer.tops)


def _unknown_bottom(net: NetSpec, place: int, index: int) -> GraphError:
    """Why bottom `index` of the layer at `place` has no value yet: nobody makes it, a cycle, or the wrong order."""
    layer = net.layers[place]
    bottom = layer.bottoms[index]
    # A layer that works in place on a blob needs a producer itself, so it is none.
    producers = (later for later in net.layers[place:] if bottom in later.tops and bottom not in later.bottoms)
    producer = next(producers, None)
    if producer is None:
        return layer.error(f"bottom {index} '{bottom}' is produced by nobody")
    path = _path(net, layer, producer)
    if path:
        names = " -> ".join(f"'{step.name}'" for step in (*path, layer))
        return layer.error(f"bottom {index} '{bottom}' closes a cycle of layers: {names}")
    return layer.error(f"bottom {index} '{bottom}' is produced only later, by layer '{producer.name}'; "
                       "layers run in the order of the file")


def _path(net: NetSpec, start: LayerSpec, end: LayerSpec) -> tuple[LayerSpec, ...]:
    """A shortest way from `start` to `end` along tops that are read, both included; empty if there is none."""
    paths = {start.name: (start,)}
    frontier = [start]
    while frontier:
        layer = frontier.pop(0)
        if layer is end:
            return paths[layer.name]
        for reader in net.layers:
            if reader.name not in paths and set(reader.bottoms) & set(layer.tops):
                paths[reader.name] = (*paths[layer.name], reader)
                frontier.append(reader)
    return ()


def _check_tops(net: NetSpec) -> None:
    producers: dict[str, LayerSpec] = {}
    for layer in net.layers:
        for index, top in enumerate(layer.tops):
            if layer.tops.index(top) != index:
                raise layer.error(f"tops must be different blobs, '{top}' is named twice")
            in_place = layer.bottoms[index:index + 1] == (top,)
            if top in producers and not in_place:
                raise layer.error(f"top {index} '{top}' is already produced by layer '{producers[top].name}'; only "
                                  f"a layer that reads it as its bottom {index} may overwrite it")
            producers[top] = layer


def _check_scale_groups(net: NetSpec) -> None:
    blobs = {top for layer in net.layers for top in layer.tops}
    seen: set[str] = set()
    for group in net.scale_groups:
        for blob in sorted(group):
            if blob not in blobs:
                raise GraphError(f"network '{net.name}': scale group {sorted(group)} names '{blob}', "
                                 "which no layer produces")
            if blob in seen:
                raise GraphError(f"network '{net.name}': blob '{blob}' must be in one scale group, not in two")
            seen.add(blob)
