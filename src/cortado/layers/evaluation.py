"""A few layers run at once, from arrays to arrays. No layer type lives here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec, Weights
from cortado.layers.element_type import array_of, tensor_of
from cortado.layers.layer import layer_types


def evaluate(layers: Sequence[LayerSpec], weights: Weights, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The last value of every blob, from those that no layer makes; raises `LayerError` where layers do not fit."""
    found = {name: tensor_of(value) for name, value in values.items()}
    with torch.no_grad():
        for spec in layers:
            bottoms = [found[name] for name in spec.bottoms]
            layer = layer_types[spec.type](spec, tuple(TensorShape(tuple(bottom.shape)) for bottom in bottoms))
            layer.eval()
            for blob, value in zip(layer.blobs, weights.get(spec.name, ()), strict=True):
                blob.copy_(torch.from_numpy(np.array(value, np.float32)))
            found.update(zip(spec.tops, layer(*bottoms), strict=True))
    return {name: array_of(value) for name, value in found.items()}
