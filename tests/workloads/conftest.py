"""Building one layer of a workload from what a prototxt would say of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import Layer, layer_types


@pytest.fixture
def layer_of() -> Callable[..., Layer]:
    """Makes a layer 'x' of a type in double precision over bottoms of some dimensions, with blobs and parameters."""

    def make(type_name: str, *bottoms: tuple[int, ...], tops: int = 1, blobs: tuple[np.ndarray, ...] = (),
             **parameters: object) -> Layer:
        layer_type = layer_types[type_name]
        spec = LayerSpec(name="x", type=type_name, bottoms=tuple(f"b{index}" for index in range(len(bottoms))),
                         tops=tuple(f"t{index}" for index in range(tops)),
                         parameters=layer_type.parameters_type(**parameters))
        shapes = tuple(TensorShape(dims) for dims in bottoms)
        layer_type.shapes(spec, shapes)
        layer = layer_type(spec, shapes).double()
        with torch.no_grad():
            for blob, value in zip(layer.blobs, blobs, strict=True):
                blob.copy_(torch.from_numpy(value))
        return layer

    return make
