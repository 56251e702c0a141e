"""Datum, Caffe's message for one labelled picture in a data base.

Source of the numbers: `caffe.proto` of BVLC/caffe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cortado.graph.shape import LARGEST_COUNT
from cortado.messages.wire import WireReader, WireType, content, length_field, number, varint_field, wrong_wire_type

# message Datum
DIMS, DATA, LABEL, FLOAT_DATA, ENCODED = (1, 2, 3), 4, 5, 6, 7


@dataclass(frozen=True, kw_only=True)
class Datum:
    """`picture` is (C, H, W), uint8 or float32; an `encoded` one is the bytes of a picture file instead."""

    label: int
    picture: np.ndarray | None = field(default=None, repr=False)
    encoded: bytes = field(default=b"", repr=False)


def parse_datum(data: bytes, file: str | Path) -> Datum:
    """The datum in one value of a data base; raises `ModelFileError` for anything else."""
    reader = WireReader(data, file, "datum")
    dims = dict.fromkeys(DIMS, 0)
    label, is_encoded, raw = 0, False, b""
    floats: list[np.ndarray] = []
    for part in reader.whole_file():
        if part.number in DIMS:
            dims[part.number] = number(reader, part, "a dimension")
        elif part.number == DATA:
            raw = bytes(content(reader, part, "the pixels"))
        elif part.number == LABEL:
            label = number(reader, part, "the label")
        elif part.number == FLOAT_DATA:
            if part.wire_type not in (WireType.FIXED32, WireType.LENGTH) or len(part.value) % 4:
                raise wrong_wire_type(reader, part, "float_data")
            floats.append(np.frombuffer(part.value, "<f4"))
        elif part.number == ENCODED:
            is_encoded = bool(number(reader, part, "the field 'encoded'"))
    if is_encoded:
        return Datum(label=label, encoded=raw)
    values = np.frombuffer(raw, np.uint8) if raw else np.concatenate(floats or [np.zeros(0, "<f4")])
    shape = tuple(dims.values())
    if any(dim < 1 for dim in shape) or math.prod(shape) > LARGEST_COUNT or math.prod(shape) != values.size:
        raise reader.error(0, f"a datum of {'x'.join(map(str, shape))} must have as many values, not {values.size}")
    return Datum(label=label, picture=values.reshape(shape))


def encode_datum(picture: np.ndarray, label: int) -> bytes:
    """The bytes of a datum of a uint8 or float32 picture (C, H, W) and a label of at least 0."""
    values = (length_field(DATA, picture.tobytes()) if picture.dtype == np.uint8 else
              length_field(FLOAT_DATA, np.ascontiguousarray(picture, "<f4").tobytes()))
    dims = b"".join(varint_field(place, dim) for place, dim in zip(DIMS, picture.shape, strict=True))
    return dims + values + varint_field(LABEL, label)
