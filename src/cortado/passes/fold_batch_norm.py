"""Pass: a factor and a summand per channel right behind a convolution or inner product go into its weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cortado.errors import WeightsError
from cortado.graph.spec import LayerSpec, NetSpec, Weights
from cortado.passes.blob_names import reader_counts

# The rank of what a layer makes whose channels are on axis 1.
_RANKS = {"Convolution": 4, "InnerProduct": 2}


def fold_batch_norm(net: NetSpec, weights: Weights) -> tuple[NetSpec, Weights]:
    """The network without the BatchNorm, Scale and Bias layers that are the only reader of such a layer's top.

    With y = factor * x + summand, the layer before it gets the weight factor * W and the bias factor * b + summand,
    one number an output channel, and makes the folded layer's top. Asks for a network without in-place layers and
    shared blobs; a TRAIN network, whose statistics move, is returned as it is. Raises `WeightsError` for a variance
    without a root.
    """
    if net.phase != "TEST":
        return net, weights
    readers = reader_counts(net)
    changed = dict(weights)
    producers: dict[str, LayerSpec] = {}
    layers: list[LayerSpec] = []
    for layer in net.layers:
        producer = producers.get(layer.bottoms[0]) if len(layer.bottoms) == 1 else None
        affine = None
        if producer is not None and readers[layer.bottoms[0]] == 1 and _has_channels(producer):
            affine = _affine(layer, changed, _RANKS[producer.type], producer.parameters.num_output)
        if affine is None:
            layers.append(layer)
        else:
            changed[producer.name] = _folded(producer, changed[producer.name], *affine)
            changed.pop(layer.name)
            place = layers.index(producer)
            # What training would do with its blobs no longer holds for them.
            layer = replace(producer, tops=layer.tops, blob_settings=(),
                            parameters=replace(producer.parameters, bias_term=True))
            layers[place] = layer
        producers.update(dict.fromkeys(layer.tops, layer))
    return replace(net, layers=tuple(layers)), changed


def _has_channels(layer: LayerSpec) -> bool:
    """Whether the layer has a weight row for each channel of its top, and nothing in between."""
    flat = layer.type == "InnerProduct" and layer.parameters.axis == 1
    return (layer.type == "Convolution" or flat) and not layer.fused


def _affine(layer: LayerSpec, weights: Weights, rank: int, channels: int) -> tuple[np.ndarray, np.ndarray] | None:
    """(factor, summand) of each channel, float64; None for a layer that is no such thing."""
    parameters = layer.parameters
    if layer.type == "BatchNorm" and parameters.use_global_stats is not False:
        mean, variance, share = (blob.astype(np.float64) for blob in weights[layer.name])
        scale = 0.0 if share[0] == 0 else 1 / share[0]
        shifted = variance * scale + parameters.eps
        if shifted.min() <= 0:
            raise WeightsError(f"layer '{layer.name}': its variance and eps must add up to more than 0, channel "
                               f"{int(shifted.argmin())} has {shifted.min():g}")
        factor = 1 / np.sqrt(shifted)
        return factor, -mean * scale * factor
    if layer.type not in ("Scale", "Bias"):
        return None
    blobs = [blob.astype(np.float64) for blob in weights[layer.name]]
    # One number for all, or one for each entry of axis 1.
    if blobs[0].shape != () and (blobs[0].shape != (channels,) or parameters.axis % rank != 1):
        return None
    first, *rest = (np.broadcast_to(blob, channels) for blob in blobs)
    if layer.type == "Bias":
        return np.ones(channels), first
    return first, rest[0] if rest else np.zeros(channels)


def _folded(layer: LayerSpec, blobs: tuple[np.ndarray, ...], factor: np.ndarray,
            summand: np.ndarray) -> tuple[np.ndarray, ...]:
    """Weight and bias, float32, of the layer with factor and summand in them."""
    weight = blobs[0].astype(np.float64)
    rows = 1 if getattr(layer.parameters, "transpose", False) else 0
    shape = [1] * weight.ndim
    shape[rows] = -1
    bias = blobs[1].astype(np.float64) if len(blobs) > 1 else 0.0
    return (weight * factor.reshape(shape)).astype(np.float32), (bias * factor + summand).astype(np.float32)
