"""Pass: trained blobs that several layers share become each layer's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cortado.graph.spec import LayerSpec, NetSpec, Weights


def split_shared(net: NetSpec, weights: Weights) -> tuple[NetSpec, Weights]:
    """The network without shared blobs, so that the passes behind may change the weights of one layer alone.

    Where the weights of the sharers differ those of the last one hold, as in a network that fills its layers in order.
    A TRAIN network is returned as it is: its shared blobs are trained together.
    """
    sharers: dict[str, list[tuple[str, int]]] = {}
    for layer in net.layers:
        for index, setting in enumerate(layer.blob_settings):
            if setting.name:
                sharers.setdefault(setting.name, []).append((layer.name, index))
    if net.phase != "TEST" or not sharers:
        return net, weights
    changed = dict(weights)
    for places in sharers.values():
        last_layer, last_index = places[-1]
        for name, index in places:
            changed[name] = _with_blob(changed[name], index, weights[last_layer][last_index])
    return replace(net, layers=tuple(_unnamed(layer) for layer in net.layers)), changed


def _with_blob(blobs: tuple[np.ndarray, ...], index: int, blob: np.ndarray) -> tuple[np.ndarray, ...]:
    return (*blobs[:index], blob, *blobs[index + 1:])


def _unnamed(layer: LayerSpec) -> LayerSpec:
    return replace(layer, blob_settings=tuple(replace(setting, name="") for setting in layer.blob_settings))
