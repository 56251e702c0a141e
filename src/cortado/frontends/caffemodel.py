"""Trained weights: caffemodel files, read and written by our own description of Caffe's field numbers.

Source of the numbers: `caffe.proto` of BVLC/caffe.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cortado.errors import ModelFileError
from cortado.frontends.file import read_bytes
from cortado.frontends.wire import WireField, WireReader, WireType, length_field, signed, varint
from cortado.graph.shape import LARGEST_COUNT
from cortado.graph.spec import Weights

# message NetParameter
NET_NAME, NET_V1_LAYERS, NET_LAYER = 1, 2, 100
# message LayerParameter
LAYER_NAME, LAYER_TYPE, LAYER_BLOBS = 1, 2, 7
# message V1LayerParameter, whose field 1 is the V0 layer it replaced
V1_V0_LAYER, V1_NAME, V1_BLOBS = 1, 4, 6
# message BlobProto; num, channels, height and width are how four-dimensional shapes used to be written
BLOB_LEGACY_DIMS, BLOB_DATA, BLOB_SHAPE, BLOB_DOUBLE_DATA = (1, 2, 3, 4), 5, 7, 8
# message BlobShape
SHAPE_DIM = 1

# Caffe can write HDF5 instead, usually to .caffemodel.h5.
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"

# Caffe's own limit.
_LARGEST_RANK = 32


def read_caffemodel(path: str | Path) -> Weights:
    """Trained blobs by layer name, float32, in the shapes the file gives; layers without blobs are left out.

    Reads layers of both kinds (`layer`, and V1 `layers`), shapes of both kinds, float and double data. Raises
    `ModelFileError` for a file that is truncated, is something else, or does not hold together.
    """
    return parse_caffemodel(read_bytes(path), file=path)


def parse_caffemodel(data: bytes, *, file: str | Path = "<bytes>") -> Weights:
    """As `read_caffemodel`, from bytes; `file` is the name errors show."""
    if data.startswith(_HDF5_SIGNATURE):
        raise ModelFileError("a caffemodel must be a binary protobuf file, this is HDF5; Caffe writes protobuf with "
                             "snapshot_format: BINARYPROTO", file=file)
    reader = WireReader(data, file)
    weights: dict[str, tuple[np.ndarray, ...]] = {}
    layers = 0
    for field in reader.whole_file():
        if field.number == NET_NAME:
            _content(reader, field, "the network's name")
        elif field.number in (NET_LAYER, NET_V1_LAYERS):
            layers += 1
            name, blobs = _read_layer(reader, field)
            if blobs and name in weights:
                raise reader.error(field.offset, f"layer '{name}': trained layers must have different names, "
                                                 "two have this one")
            if blobs:
                weights[name] = blobs
    if not layers:
        raise ModelFileError("a caffemodel must hold layers, this file has none: it is empty or no caffemodel",
                             file=file)
    return weights


def read_blob_file(path: str | Path) -> np.ndarray:
    """The one blob of a .binaryproto file, as Caffe writes the mean of its training pictures; float32.

    Raises `ModelFileError`.
    """
    data = read_bytes(path)
    whole = length_field(LAYER_BLOBS, data)
    reader = WireReader(whole, path)
    return _read_blob(reader, next(reader.whole_file()), "the blob")


def write_caffemodel(path: str | Path, net_name: str,
                     layers: Mapping[str, tuple[str, tuple[np.ndarray, ...]]]) -> None:
    """Write trained layers, {name: (type, blobs)}, as float32 in today's form; equal input gives equal bytes."""
    content = length_field(NET_NAME, net_name.encode())
    for name, (layer_type, blobs) in layers.items():
        layer = length_field(LAYER_NAME, name.encode()) + length_field(LAYER_TYPE, layer_type.encode())
        layer += b"".join(length_field(LAYER_BLOBS, _encoded_blob(blob)) for blob in blobs)
        content += length_field(NET_LAYER, layer)
    Path(path).write_bytes(content)


def _encoded_blob(blob: np.ndarray) -> bytes:
    shape = length_field(SHAPE_DIM, b"".join(varint(dim) for dim in blob.shape))
    return length_field(BLOB_DATA, np.ascontiguousarray(blob, dtype="<f4").tobytes()) + length_field(BLOB_SHAPE, shape)


def _read_layer(reader: WireReader, layer: WireField) -> tuple[str, tuple[np.ndarray, ...]]:
    _content(reader, layer, "a layer")
    name_number, blobs_number = (LAYER_NAME, LAYER_BLOBS) if layer.number == NET_LAYER else (V1_NAME, V1_BLOBS)
    name, blobs = "", []
    for field in reader.inside(layer):
        if field.number == name_number:
            name = _text(reader, field, "a layer's name")
        elif field.number == blobs_number:
            blobs.append(field)
        elif field.number == V1_V0_LAYER and layer.number == NET_V1_LAYERS:
            raise reader.error(field.offset, "V0 layers are not supported; Caffe's upgrade_net_proto_binary writes "
                                             "them anew")
    return name, tuple(_read_blob(reader, field, f"blob {index} of layer '{name}'")
                       for index, field in enumerate(blobs))


def _read_blob(reader: WireReader, blob: WireField, who: str) -> np.ndarray:
    _content(reader, blob, who)
    shape: tuple[int, ...] | None = None
    legacy = dict.fromkeys(BLOB_LEGACY_DIMS, 0)
    singles: list[np.ndarray] = []
    doubles: list[np.ndarray] = []
    for field in reader.inside(blob):
        if field.number == BLOB_SHAPE:
            shape = _read_shape(reader, field, who)
        elif field.number in BLOB_LEGACY_DIMS:
            legacy[field.number] = _number(reader, field, who)
        elif field.number == BLOB_DATA:
            singles.append(_floats(reader, field, WireType.FIXED32, "<f4", who))
        elif field.number == BLOB_DOUBLE_DATA:
            doubles.append(_floats(reader, field, WireType.FIXED64, "<f8", who))
    if singles and doubles:
        raise reader.error(blob.offset, f"{who}: values must be float or double, not both")
    values = np.concatenate(singles or doubles or [np.zeros(0, "<f4")])
    dims = tuple(legacy.values()) if shape is None else shape
    if len(dims) > _LARGEST_RANK or any(dim < 1 for dim in dims) or math.prod(dims) > LARGEST_COUNT:
        raise reader.error(blob.offset, f"{who}: shape must have up to {_LARGEST_RANK} dimensions of at least 1 and "
                                        f"up to {LARGEST_COUNT} values in all, not {_shape_words(dims)}")
    if math.prod(dims) != values.size:
        raise reader.error(blob.offset, f"{who}: shape {_shape_words(dims)} must have {math.prod(dims)} values, "
                                        f"not {values.size}")
    # A double beyond float32 becomes infinite; whoever matches the weights to a network refuses such values.
    with np.errstate(over="ignore"):
        return values.astype(np.float32).reshape(dims)


def _read_shape(reader: WireReader, shape: WireField, who: str) -> tuple[int, ...]:
    _content(reader, shape, f"the shape of {who}")
    dims: list[int] = []
    for field in reader.inside(shape):
        if field.number == SHAPE_DIM:
            if field.wire_type not in (WireType.VARINT, WireType.LENGTH):
                raise _wrong_wire_type(reader, field, f"a dimension of {who}")
            dims += (signed(value) for value in reader.varints(field))
    return tuple(dims)


def _floats(reader: WireReader, field: WireField, single: WireType, dtype: str, who: str) -> np.ndarray:
    """Values of a repeated float field: packed in one LENGTH field, or one by one."""
    if field.wire_type not in (single, WireType.LENGTH):
        raise _wrong_wire_type(reader, field, f"the values of {who}")
    if len(field.value) % np.dtype(dtype).itemsize:
        raise reader.error(field.offset, f"{who}: values must be whole numbers of {np.dtype(dtype).itemsize} bytes, "
                                         f"not {len(field.value)} bytes")
    return np.frombuffer(field.value, dtype)


def _content(reader: WireReader, field: WireField, who: str) -> memoryview:
    if field.wire_type is not WireType.LENGTH:
        raise _wrong_wire_type(reader, field, who)
    return field.value


def _text(reader: WireReader, field: WireField, who: str) -> str:
    try:
        return str(_content(reader, field, who), "utf-8")
    except UnicodeDecodeError:
        raise reader.error(field.offset, f"{who} must be UTF-8 text") from None


def _number(reader: WireReader, field: WireField, who: str) -> int:
    if field.wire_type is not WireType.VARINT:
        raise _wrong_wire_type(reader, field, f"a dimension of {who}")
    return signed(int(field.value))


def _wrong_wire_type(reader: WireReader, field: WireField, who: str) -> ModelFileError:
    return reader.error(field.offset, f"{who} cannot have wire type {field.wire_type.name}: this is no caffemodel")


def _shape_words(dims: tuple[int, ...]) -> str:
    if len(dims) > _LARGEST_RANK:
        return f"{len(dims)} dimensions"
    return "x".join(str(dim) for dim in dims) or "scalar"
