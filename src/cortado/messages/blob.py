"""BlobProto, Caffe's message for an array, read and written.

Source of the numbers: `caffe.proto` of BVLC/caffe.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from cortado.errors import ModelFileError
from cortado.graph.shape import LARGEST_COUNT
from cortado.messages.wire import (
    WireField,
    WireReader,
    WireType,
    content,
    length_field,
    number,
    signed,
    varint,
    wrong_wire_type,
)

# message BlobProto; num, channels, height and width are how four-dimensional shapes used to be written
BLOB_LEGACY_DIMS, BLOB_DATA, BLOB_SHAPE, BLOB_DOUBLE_DATA = (1, 2, 3, 4), 5, 7, 8
# message BlobShape
SHAPE_DIM = 1

# The number of the field a file of one blob is read as; any will do.
WHOLE_FILE = 1

# Caffe's own limit.
_LARGEST_RANK = 32


def read_blob_file(path: str | Path) -> np.ndarray:
    """The one blob of a .binaryproto file, as Caffe writes the mean of its training pictures; float32.

    Raises `ModelFileError`.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ModelFileError(f"the file cannot be read: {error.strerror}", file=path) from None
    reader = WireReader(length_field(WHOLE_FILE, data), path, "binaryproto")
    return read_blob(reader, next(reader.whole_file()), "the blob")


def encoded_blob(blob: np.ndarray, *, keep_double: bool = False) -> bytes:
    """The message of an array, as float32, or as float64 where it is and `keep_double` asks for it."""
    shape = length_field(SHAPE_DIM, b"".join(varint(dim) for dim in blob.shape))
    number, dtype = (BLOB_DOUBLE_DATA, "<f8") if keep_double and blob.dtype == np.float64 else (BLOB_DATA, "<f4")
    return length_field(number, np.ascontiguousarray(blob, dtype=dtype).tobytes()) + length_field(BLOB_SHAPE, shape)


def read_blob(reader: WireReader, blob: WireField, who: str, *, keep_double: bool = False) -> np.ndarray:
    """The array a field holds, float32, or float64 where the file does and `keep_double` asks for it.

    `who` names it in errors, which are `ModelFileError`.
    """
    content(reader, blob, who)
    shape: tuple[int, ...] | None = None
    legacy = dict.fromkeys(BLOB_LEGACY_DIMS, 0)
    singles: list[np.ndarray] = []
    doubles: list[np.ndarray] = []
    for field in reader.inside(blob):
        if field.number == BLOB_SHAPE:
            shape = _read_shape(reader, field, who)
        elif field.number in BLOB_LEGACY_DIMS:
            legacy[field.number] = number(reader, field, f"a dimension of {who}")
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
    if doubles and keep_double:
        return values.astype(np.float64).reshape(dims)
    # A double beyond float32 becomes infinite; whoever matches the weights to a network refuses such values.
    with np.errstate(over="ignore"):
        return values.astype(np.float32).reshape(dims)


def _read_shape(reader: WireReader, shape: WireField, who: str) -> tuple[int, ...]:
    content(reader, shape, f"the shape of {who}")
    dims: list[int] = []
    for field in reader.inside(shape):
        if field.number == SHAPE_DIM:
            if field.wire_type not in (WireType.VARINT, WireType.LENGTH):
                raise wrong_wire_type(reader, field, f"a dimension of {who}")
            dims += (signed(value) for value in reader.varints(field))
    return tuple(dims)


def _floats(reader: WireReader, field: WireField, single: WireType, dtype: str, who: str) -> np.ndarray:
    """Values of a repeated float field: packed in one LENGTH field, or one by one."""
    if field.wire_type not in (single, WireType.LENGTH):
        raise wrong_wire_type(reader, field, f"the values of {who}")
    if len(field.value) % np.dtype(dtype).itemsize:
        raise reader.error(field.offset, f"{who}: values must be whole numbers of {np.dtype(dtype).itemsize} bytes, "
                                         f"not {len(field.value)} bytes")
    return np.frombuffer(field.value, dtype)


def _shape_words(dims: tuple[int, ...]) -> str:
    if len(dims) > _LARGEST_RANK:
        return f"{len(dims)} dimensions"
    return "x".join(str(dim) for dim in dims) or "scalar"
