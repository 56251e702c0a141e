"""Building one layer as a network would."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import Layer, layer_types


@pytest.fixture
def make_spec() -> Callable[..., LayerSpec]:
    """Makes a spec called 'x' with bottoms b0, b1 ... and tops t0, t1 ..., the parameters given as keywords."""

    def make(type_name: str, *, bottoms: int = 1, tops: int = 1, **parameters: object) -> LayerSpec:
        return LayerSpec(name="x", type=type_name, bottoms=tuple(f"b{index}" for index in range(bottoms)),
                         tops=tuple(f"t{index}" for index in range(tops)),
                         parameters=layer_types[type_name].parameters_type(**parameters))

    return make


@pytest.fixture
def make_layer() -> Callable[..., Layer]:
    """Makes the runnable layer of a spec over bottoms of the given dimensions."""

    def make(spec: LayerSpec, *bottoms: tuple[int, ...]) -> Layer:
        return layer_types[spec.type](spec, tuple(TensorShape(dims) for dims in bottoms))

    return make


@pytest.fixture
def top_dims() -> Callable[..., list[tuple[int, ...]]]:
    """The dimensions a layer's shape rule gives its tops, with every check."""

    def infer(spec: LayerSpec, *bottoms: tuple[int, ...]) -> list[tuple[int, ...]]:
        shapes = layer_types[spec.type].shapes(spec, tuple(TensorShape(dims) for dims in bottoms))
        return [shape.dims for shape in shapes]

    return infer


@pytest.fixture
def gradients_are_right() -> Callable[..., bool]:
    """Whether a layer's gradients, of its bottoms and of the blobs that are trained, equal differences of its tops."""

    def check(layer: Layer, *bottoms: np.ndarray) -> bool:
        layer = layer.double()
        blobs = [blob for blob in layer.blobs if blob.requires_grad]
        inputs = [torch.from_numpy(bottom).double().requires_grad_() for bottom in bottoms]
        return gradcheck(lambda *values: layer(*values[:len(inputs)]), (*inputs, *blobs))

    return check


@pytest.fixture
def fill() -> Callable[..., None]:
    """Sets the trained blobs of a layer, which becomes one of float64."""

    def set_blobs(layer: Layer, *values: np.ndarray) -> None:
        layer.double()
        with torch.no_grad():
            for blob, value in zip(layer.blobs, values, strict=True):
                blob.copy_(torch.as_tensor(np.asarray(value, np.float64)))

    return set_blobs
