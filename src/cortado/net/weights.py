"""Trained blobs and a network: do they fit, and seeded ones where none are trained."""

from __future__ import annotations

import hashlib

import numpy as np

from cortado.errors import WeightsError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import NetSpec, Weights
from cortado.layers.layer import layer_types
from cortado.net.shape_inference import bottom_shapes, infer_shapes


def expected_blobs(net: NetSpec) -> dict[str, tuple[TensorShape, ...]]:
    """Shapes of the trained blobs of each layer that has some, by layer name."""
    shapes = infer_shapes(net)
    expected = {layer.name: layer_types[layer.type].blob_shapes(layer, bottom_shapes(layer, shapes))
                for layer in net.layers}
    return {name: blobs for name, blobs in expected.items() if blobs}


def match_weights(net: NetSpec, weights: Weights, *,
                  drop_extra_layers: bool = False) -> dict[str, tuple[np.ndarray, ...]]:
    """The weights in the shapes the network has, matched by layer name.

    Old files write every shape with four dimensions; 1x1xKxC is KxC. Raises `WeightsError` naming the layer, the
    expected and the found shapes for a layer or blob that is missing or too many, another shape, or a value that is
    no finite number. `drop_extra_layers` leaves out layers the network does not have, as of a branch that is only
    trained.
    """
    expected = expected_blobs(net)
    for name, blobs in weights.items():
        if name not in expected and blobs and not drop_extra_layers:
            there = any(layer.name == name for layer in net.layers)
            raise WeightsError(f"layer '{name}': the weights have {_shapes_words(blobs)}, network '{net.name}' has "
                               f"{'no trained blobs in this layer' if there else 'no such layer'}")
    return {name: match_layer(name, shapes, weights) for name, shapes in expected.items()}


def seeded_weights(net: NetSpec, seed: int) -> dict[str, tuple[np.ndarray, ...]]:
    """Random weights for a network nobody has trained, as each layer type has them: He-normal unless it says otherwise.

    Each layer draws by its own name, so its weights do not depend on the layers around it.
    """
    return {name: layer_types[net.layer(name).type].seeded_blobs(net.layer(name), shapes, _generator(seed, name))
            for name, shapes in expected_blobs(net).items()}


def filled_weights(net: NetSpec, seed: int) -> dict[str, tuple[np.ndarray, ...]]:
    """Weights for a network that is going to be trained, as the fillers of its file say: Caffe's default is all 0.

    Each layer draws by its own name, as in `seeded_weights`.
    """
    return {name: layer_types[net.layer(name).type].filled_blobs(net.layer(name), shapes, _generator(seed, name))
            for name, shapes in expected_blobs(net).items()}


def _generator(seed: int, layer: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}:{layer}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def match_layer(name: str, expected: tuple[TensorShape, ...], weights: Weights, *,
                dtype: type[np.floating] = np.float32) -> tuple[np.ndarray, ...]:
    """The blobs of one layer in the shapes it has and of one number type, as `match_weights`."""
    found = weights.get(name, ())
    if len(found) != len(expected):
        raise WeightsError(f"layer '{name}': expected {_shapes_words(expected)}, "
                           f"found {_shapes_words(found) if found else 'no blobs'}")
    matched = []
    for index, (shape, blob) in enumerate(zip(expected, found, strict=True)):
        padded = (1,) * (4 - shape.rank) + shape.dims
        if blob.shape not in (shape.dims, padded):
            raise WeightsError(f"layer '{name}': blob {index} must have shape {shape}, not "
                               f"{'x'.join(str(dim) for dim in blob.shape)}")
        if not np.isfinite(blob).all():
            raise WeightsError(f"layer '{name}': blob {index} must have finite values, it has "
                               f"{np.count_nonzero(~np.isfinite(blob))} that are infinite or no numbers")
        matched.append(np.ascontiguousarray(blob, dtype).reshape(shape.dims))
    return tuple(matched)


def _shapes_words(blobs: tuple[TensorShape, ...] | tuple[np.ndarray, ...]) -> str:
    shapes = ", ".join("x".join(str(dim) for dim in (blob.dims if isinstance(blob, TensorShape) else blob.shape))
                       for blob in blobs)
    return f"{len(blobs)} blob{'' if len(blobs) == 1 else 's'} ({shapes})"
