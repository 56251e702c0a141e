"""The constants of an ONNX file: TensorProto -> array."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
from onnx import TensorProto, numpy_helper

from cortado.errors import ModelFileError
from cortado.frontends.text_token import shortened
from cortado.graph.shape import LARGEST_COUNT
from cortado.layers.element_type import ElementType

# Element type as it lies in raw data (little-endian), and the field that holds the values one by one instead.
_ELEMENTS = {
    TensorProto.FLOAT: ("<f4", "float_data"), TensorProto.DOUBLE: ("<f8", "double_data"),
    TensorProto.INT64: ("<i8", "int64_data"), TensorProto.INT32: ("<i4", "int32_data"),
    TensorProto.FLOAT16: ("<f2", "int32_data"), TensorProto.BOOL: ("?", "int32_data"),
    TensorProto.INT8: ("i1", "int32_data"), TensorProto.UINT8: ("u1", "int32_data"),
    TensorProto.INT16: ("<i2", "int32_data"), TensorProto.UINT16: ("<u2", "int32_data"),
    TensorProto.UINT32: ("<u4", "uint64_data"), TensorProto.UINT64: ("<u8", "uint64_data"),
}

_NUMBERS = {element.value for element in ElementType}

# How many values a byte has of the types below 8 bits, which onnx unpacks; the others lie there as they are.
_IN_A_BYTE = {TensorProto.UINT4: 2, TensorProto.INT4: 2, TensorProto.FLOAT4E2M1: 2, TensorProto.UINT2: 4,
              TensorProto.INT2: 4}


def element_of(element: int) -> ElementType | None:
    """An ONNX element type, None where it is not supported."""
    return ElementType(element) if element in _NUMBERS else None


def element_name(element: int) -> str:
    """ONNX's word for an element type."""
    return TensorProto.DataType.Name(element) if element in TensorProto.DataType.values() else f"number {element}"


class Tensors:
    """The constants of a file by name, decoded when they are asked for; `file` stands in errors, and large tensors
    may lie in files of their own beside it."""

    def __init__(self, file: str | Path, folder: Path | None) -> None:
        self._file, self._folder = file, folder
        self._protos: dict[str, TensorProto] = {}

    def add(self, protos: Iterable[TensorProto]) -> None:
        """Take the initialisers of a graph; raises `ModelFileError` for a name that is there twice."""
        for proto in protos:
            if proto.name in self._protos:
                raise self._error(proto, "initialisers must have different names, two have this one")
            self._protos[proto.name] = proto

    def __contains__(self, name: object) -> bool:
        return name in self._protos

    def __getitem__(self, name: str) -> np.ndarray:
        return self.decode(self._protos[name])

    def decode(self, proto: TensorProto) -> np.ndarray:
        """The values of one tensor; raises `ModelFileError` for one that does not hold together."""
        if proto.data_type not in _NUMBERS:
            raise self._error(proto, f"element type {element_name(proto.data_type)} is not supported (supported: "
                                     f"{', '.join(element.name for element in ElementType)})")
        dims = tuple(proto.dims)
        # NumPy counts an array of no values by its other dimensions.
        if any(dim < 0 for dim in dims) or math.prod(dim or 1 for dim in dims) > LARGEST_COUNT or len(dims) > 32:
            raise self._error(proto, f"dimensions must not be negative and give at most {LARGEST_COUNT} values")
        if proto.data_type not in _ELEMENTS:
            return self._decode_small(proto, dims)
        dtype, field = np.dtype(_ELEMENTS[proto.data_type][0]), _ELEMENTS[proto.data_type][1]
        if proto.data_location == TensorProto.EXTERNAL:
            size = math.prod(dims) * dtype.itemsize
            values = np.frombuffer(self._outside(proto, size), dtype.str) if size else np.empty(0, dtype)
        elif proto.HasField("raw_data"):
            raw = bytearray(proto.raw_data)
            self._check_count(proto, len(raw), math.prod(dims) * dtype.itemsize, "bytes")
            values = np.frombuffer(raw, dtype)
        elif proto.data_type == TensorProto.FLOAT16:
            values = (np.array(proto.int32_data, np.int64) & 0xFFFF).astype(np.uint16).view(dtype)
        else:
            values = np.array(getattr(proto, field)).astype(dtype)
        self._check_count(proto, values.size, math.prod(dims), "values")
        return values.reshape(dims)

    def _decode_small(self, proto: TensorProto, dims: tuple[int, ...]) -> np.ndarray:
        """Of types that NumPy has not: as onnx decodes them, from raw data or from bits in int32_data."""
        size = self._itemsize(proto.data_type)
        count = math.prod(dims)
        expected = math.ceil(count / _IN_A_BYTE[proto.data_type]) if proto.data_type in _IN_A_BYTE else count * size
        whole = TensorProto(data_type=proto.data_type, dims=dims)
        if proto.data_location == TensorProto.EXTERNAL:
            whole.raw_data = bytes(self._outside(proto, expected)) if count else b""
        elif proto.HasField("raw_data"):
            self._check_count(proto, len(proto.raw_data), expected, "bytes")
            whole.raw_data = proto.raw_data
        else:
            self._check_count(proto, len(proto.int32_data), expected // size, "values")
            bits = np.array(proto.int32_data, np.int64) & (2 ** (8 * size) - 1)
            whole.raw_data = bits.astype(f"<u{size}").tobytes()
        return np.array(numpy_helper.to_array(whole))

    @staticmethod
    def _itemsize(element: int) -> int:
        """Bytes of one value, or of several together."""
        return np.dtype(_ELEMENTS[element][0]).itemsize if element in _ELEMENTS else ElementType(element).numpy.itemsize

    def _outside(self, proto: TensorProto, expected: int) -> bytearray:
        """The bytes of a tensor that lies in a file of its own, so many."""
        fields = {entry.key: entry.value for entry in proto.external_data}
        location = PurePosixPath(fields.get("location", ""))
        if self._folder is None or not location.parts or location.is_absolute() or ".." in location.parts:
            raise self._error(proto, "the file of its values must be named relative to the model's folder and lie in "
                                     f"it, not be '{shortened(str(location))}'")
        path = self._folder / location
        numbers = [fields.get(key, "0") for key in ("offset", "length")]
        if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
            raise self._error(proto, "offset and length of its values must be whole numbers")
        offset, length = (int(number) for number in numbers)
        try:
            with path.open("rb") as file:
                size = path.stat().st_size
                if "length" not in fields:
                    length = size - offset
                self._check_count(proto, length, expected, "bytes")
                if offset + length > size:
                    raise self._error(proto, f"'{location}' must have {offset + length} bytes, not {size}: it is "
                                             "truncated or of another model")
                file.seek(offset)
                return bytearray(file.read(length))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise self._error(proto, f"'{location}', the file of its values, cannot be read: {reason}") from None

    def _check_count(self, proto: TensorProto, found: int, expected: int, unit: str) -> None:
        if found != expected:
            shape = "x".join(str(dim) for dim in proto.dims) or "scalar"
            raise self._error(proto, f"shape {shape} must have {expected} {unit}, not {found}")

    def _error(self, proto: TensorProto, message: str) -> ModelFileError:
        return ModelFileError(f"tensor '{shortened(proto.name)}': {message}", file=self._file)
