"""Trained weights: caffemodel files, read and written by our own description of Caffe's field numbers.

Source of the numbers: `caffe.proto` of BVLC/caffe.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cortado.errors import ModelFileError
from cortado.frontends.file import read_bytes, write_whole
from cortado.graph.spec import Weights
from cortado.messages.blob import encoded_blob, read_blob
from cortado.messages.wire import WireField, WireReader, content, length_field, text

# message NetParameter
NET_NAME, NET_V1_LAYERS, NET_LAYER = 1, 2, 100
# message LayerParameter
LAYER_NAME, LAYER_TYPE, LAYER_BLOBS = 1, 2, 7
# message V1LayerParameter, whose field 1 is the V0 layer it replaced
V1_V0_LAYER, V1_NAME, V1_BLOBS = 1, 4, 6

# Caffe can write HDF5 instead, usually to .caffemodel.h5.
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_caffemodel(path: str | Path) -> Weights:
    """Trained blobs by layer name, float32, in the shapes the file gives; layers without blobs are left out.

    Reads layers of both kinds (`layer`, and V1 `layers`), shapes of both kinds, float and double data. Raises
    `ModelFileError` for a file that is truncated, is something else, or does not hold together.
    """
    return parse_caffemodel(read_bytes(path), file=path)


def parse_caffemodel(data: bytes, *, file: str | Path = "<bytes>", keep_double: bool = False) -> Weights:
    """As `read_caffemodel`, from bytes; `file` is the name errors show. With `keep_double` doubles stay float64."""
    if data.startswith(_HDF5_SIGNATURE):
        raise ModelFileError("a caffemodel must be a binary protobuf file, this is HDF5; Caffe writes protobuf with "
                             "snapshot_format: BINARYPROTO", file=file)
    reader = WireReader(data, file)
    weights: dict[str, tuple[np.ndarray, ...]] = {}
    layers = 0
    for field in reader.whole_file():
        if field.number == NET_NAME:
            content(reader, field, "the network's name")
        elif field.number in (NET_LAYER, NET_V1_LAYERS):
            layers += 1
            name, blobs = _read_layer(reader, field, keep_double)
            if blobs and name in weights:
                raise reader.error(field.offset, f"layer '{name}': trained layers must have different names, "
                                                 "two have this one")
            if blobs:
                weights[name] = blobs
    if not layers:
        raise ModelFileError("a caffemodel must hold layers, this file has none: it is empty or no caffemodel",
                             file=file)
    return weights


def write_caffemodel(path: str | Path, net_name: str,
                     layers: Mapping[str, tuple[str, tuple[np.ndarray, ...]]]) -> None:
    """Write trained layers, {name: (type, blobs)}, as float32 in today's form, whole or not at all."""
    write_whole(path, encode_caffemodel(net_name, layers))


def encode_caffemodel(net_name: str, layers: Mapping[str, tuple[str, tuple[np.ndarray, ...]]], *,
                      keep_double: bool = False) -> bytes:
    """The bytes `write_caffemodel` writes; equal input gives equal bytes. With `keep_double` float64 stays so."""
    message = length_field(NET_NAME, net_name.encode())
    for name, (layer_type, blobs) in layers.items():
        layer = length_field(LAYER_NAME, name.encode()) + length_field(LAYER_TYPE, layer_type.encode())
        layer += b"".join(length_field(LAYER_BLOBS, encoded_blob(blob, keep_double=keep_double)) for blob in blobs)
        message += length_field(NET_LAYER, layer)
    return message


def _read_layer(reader: WireReader, layer: WireField, keep_double: bool) -> tuple[str, tuple[np.ndarray, ...]]:
    content(reader, layer, "a layer")
    name_number, blobs_number = (LAYER_NAME, LAYER_BLOBS) if layer.number == NET_LAYER else (V1_NAME, V1_BLOBS)
    name, blobs = "", []
    for field in reader.inside(layer):
        if field.number == name_number:
            name = text(reader, field, "a layer's name")
        elif field.number == blobs_number:
            blobs.append(field)
        elif field.number == V1_V0_LAYER and layer.number == NET_V1_LAYERS:
            raise reader.error(field.offset, "V0 layers are not supported; Caffe's upgrade_net_proto_binary writes "
                                             "them anew")
    return name, tuple(read_blob(reader, field, f"blob {index} of layer '{name}'", keep_double=keep_double)
                       for index, field in enumerate(blobs))
