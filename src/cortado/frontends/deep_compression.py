"""Deep Compression files (.net): trained weights pruned, clustered and packed, read back into plain blobs.

Source: S. Han, H. Mao, W. Dally 2016, "Deep Compression", and the decoder of repository
songhan/SqueezeNet-Deep-Compression. Little endian, without a header; only the network says what is in the file:

1. A uint32 for each Convolution and InnerProduct layer, in the network's order: its number n of stored entries.
2. For each layer, in the same order: the codebook, 256 float32 (Convolution: codes of 8 bits) or 16 (InnerProduct: 4
   bits); a float32 for each output, the bias; n codes; n relative indices of 4 bits. Two 4-bit values share a byte, low
   one first; an odd last one has a byte for itself.

Entry i stands in the flattened weight at the sum of (index + 1) over the entries up to it, less 1, and has the value
its code has in the codebook. Places no entry names have code 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cortado.errors import ModelFileError
from cortado.frontends.file import read_bytes
from cortado.graph.shape import TensorShape
from cortado.graph.spec import NetSpec, Weights
from cortado.layers.layer import layer_types

# Bits of a code, by the type of the layer.
CODE_BITS = {"Convolution": 8, "InnerProduct": 4}

SUFFIX = ".net"


@dataclass(frozen=True, kw_only=True)
class _StoredLayer:
    """A layer of the file: the shapes of its weight and bias, and how long its parts are."""

    name: str
    weight: TensorShape
    bias: TensorShape
    code_bits: int
    entries: int = 0

    @property
    def bytes(self) -> int:
        codes = -(-self.entries * self.code_bits // 8)
        return 4 * (2**self.code_bits + self.bias.count) + codes + -(-self.entries // 2)


def read_deep_compression(path: str | Path, net: NetSpec) -> Weights:
    """Trained blobs of every Convolution and InnerProduct layer of `net`, float32, as the file has them.

    Raises `ModelFileError` for a file that is truncated, too long, or of another network, and for a network with
    trained layers the format does not have; `LayerError` for one whose layers do not fit together.
    """
    data = memoryview(read_bytes(path))
    layers = _layers(path, net, data)
    expected = 4 * len(layers) + sum(layer.bytes for layer in layers)
    if len(data) < expected:
        raise ModelFileError(f"must have {expected} bytes for network '{net.name}', it has {len(data)}: the file is "
                             "truncated, or of another network", file=path)
    if len(data) > expected:
        raise ModelFileError(f"must have {expected} bytes for network '{net.name}', it has {len(data) - expected} "
                             "more: something was appended, or it is of another network", file=path)
    weights, start = {}, 4 * len(layers)
    for layer in layers:
        weights[layer.name] = _decode(path, layer, data[start:start + layer.bytes])
        start += layer.bytes
    return weights


def _layers(path: str | Path, net: NetSpec, data: memoryview) -> list[_StoredLayer]:
    """The layers of the file in order, with their numbers of entries."""
    expected = _trained_layers(path, net)
    if len(data) < 4 * len(expected):
        raise ModelFileError(f"must begin with {len(expected)} numbers of 4 bytes, one for each trained layer of "
                             f"network '{net.name}'; it has {len(data)} bytes", file=path)
    layers = []
    for layer, entries in zip(expected, np.frombuffer(data, "<u4", len(expected)), strict=True):
        if entries > layer.weight.count:
            raise ModelFileError(f"layer '{layer.name}' must have at most {layer.weight.count} stored entries, not "
                                 f"{entries}: this is no Deep Compression file of network '{net.name}'", file=path)
        layers.append(_StoredLayer(name=layer.name, weight=layer.weight, bias=layer.bias, code_bits=layer.code_bits,
                                   entries=int(entries)))
    return layers


def _trained_layers(path: str | Path, net: NetSpec) -> list[_StoredLayer]:
    shapes: dict[str, TensorShape] = {}
    layers = []
    for layer in net.layers:
        layer_type = layer_types[layer.type]
        bottoms = tuple(shapes[name] for name in layer.bottoms)
        shapes.update(zip(layer.tops, layer_type.shapes(layer, bottoms), strict=True))
        blobs = layer_type.blob_shapes(layer, bottoms)
        if not blobs:
            continue
        if layer.type not in CODE_BITS or len(blobs) != 2:
            raise ModelFileError(f"layer '{layer.name}' ({layer.type}) of network '{net.name}': a Deep Compression "
                                 f"file holds {' and '.join(CODE_BITS)} layers with a bias only", file=path)
        layers.append(_StoredLayer(name=layer.name, weight=blobs[0], bias=blobs[1], code_bits=CODE_BITS[layer.type]))
    return layers


def _decode(path: str | Path, layer: _StoredLayer, data: memoryview) -> tuple[np.ndarray, np.ndarray]:
    size = 2**layer.code_bits
    codebook = np.frombuffer(data, "<f4", size).astype(np.float32)
    bias = np.frombuffer(data, "<f4", layer.bias.count, 4 * size).astype(np.float32)
    packed = np.frombuffer(data, np.uint8, offset=4 * (size + layer.bias.count))
    if codebook[0] != 0:
        raise ModelFileError(f"layer '{layer.name}': code 0 must stand for 0, not {codebook[0]}: this is no Deep "
                             "Compression file, or of another network", file=path)
    code_bytes = -(-layer.entries * layer.code_bits // 8)
    codes = packed[:code_bytes] if layer.code_bits == 8 else _nibbles(packed[:code_bytes])[:layer.entries]
    indices = _nibbles(packed[code_bytes:])[:layer.entries]
    places = np.cumsum(indices.astype(np.int64) + 1) - 1
    if layer.entries and places[-1] >= layer.weight.count:
        raise ModelFileError(f"layer '{layer.name}': entries must lie within its {layer.weight.count} weights, the "
                             f"last is at {places[-1]}: the file is damaged, or of another network", file=path)
    flat = np.zeros(layer.weight.count, np.float32)
    flat[places] = codebook[codes]
    return flat.reshape(layer.weight.dims), bias


def _nibbles(packed: np.ndarray) -> np.ndarray:
    """Two 4-bit values of each byte, low one first."""
    return np.stack((packed & 15, packed >> 4), axis=1).reshape(-1)
