"""Protobuf's wire format: bytes -> numbered fields, and back. Knows no schema.

Source: "Encoding", protobuf documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from cortado.errors import ModelFileError


class WireType(IntEnum):
    """How a field's value is laid out; groups (3 and 4) were gone before Caffe began."""

    VARINT = 0
    FIXED64 = 1
    LENGTH = 2
    FIXED32 = 5


@dataclass(frozen=True)
class WireField:
    """One field: `value` is an int for VARINT, the bytes otherwise; `offset` is where it starts in the file."""

    number: int
    wire_type: WireType
    value: int | memoryview
    offset: int


class WireReader:
    """Fields of the messages of one file of that `kind`; every error names the file and the byte."""

    def __init__(self, data: bytes, file: str | Path, kind: str = "caffemodel") -> None:
        self._data = memoryview(data)
        self._file = file
        self.kind = kind

    def error(self, offset: int, message: str) -> ModelFileError:
        """An error about what starts at byte `offset` of the file."""
        return ModelFileError(f"byte {offset}: {message}", file=self._file)

    def whole_file(self) -> Iterator[WireField]:
        """The fields of the outermost message."""
        return self._fields(0, len(self._data))

    def inside(self, field: WireField) -> Iterator[WireField]:
        """The fields of the message a LENGTH field holds."""
        start, length = self._span(field)
        return self._fields(start, start + length)

    def varints(self, field: WireField) -> Iterator[int]:
        """The values of a repeated VARINT field, packed or not."""
        if field.wire_type is WireType.VARINT:
            yield int(field.value)
            return
        position, length = self._span(field)
        end = position + length
        while position < end:
            value, position = self._varint(position, end)
            yield value

    def _span(self, field: WireField) -> tuple[int, int]:
        """Where a LENGTH field's content is: first byte, number of bytes."""
        length = len(field.value)
        _, start = self._varint(field.offset, len(self._data))
        _, start = self._varint(start, len(self._data))
        return start, length

    def _fields(self, position: int, end: int) -> Iterator[WireField]:
        while position < end:
            offset = position
            key, position = self._varint(position, end)
            number, kind = key >> 3, key & 7
            if number == 0 or kind not in tuple(WireType):
                raise self.error(offset, f"no protobuf field starts here (field number {number}, wire type {kind}); "
                                         f"a {self.kind} must be a binary protobuf file")
            wire_type = WireType(kind)
            value: int | memoryview
            if wire_type is WireType.VARINT:
                value, position = self._varint(position, end)
            else:
                length = {WireType.FIXED32: 4, WireType.FIXED64: 8}.get(wire_type)
                if length is None:
                    length, position = self._varint(position, end)
                if length > end - position:
                    raise self.error(offset, f"field {number} must have {length} bytes, {end - position} are left: "
                                             f"the file is truncated or no {self.kind}")
                value = self._data[position:position + length]
                position += length
            yield WireField(number, wire_type, value, offset)

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        """The number that starts at `position`, and where it ends."""
        value = 0
        for index, byte in enumerate(self._data[position:min(position + 10, end)]):
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                if value >= 2**64:
                    break
                return value, position + index + 1
        if end - position < 10:
            raise self.error(position, f"a number is cut off: the file is truncated or no {self.kind}")
        raise self.error(position, f"a number must fit in 64 bits; a {self.kind} must be a binary protobuf file")


def signed(value: int) -> int:
    """A VARINT as the int64 it stands for."""
    return value - 2**64 if value >= 2**63 else value


def varint(value: int) -> bytes:
    """The encoding of a non-negative number."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def length_field(number: int, content: bytes) -> bytes:
    """The encoding of a string, a message or packed numbers."""
    return varint(number << 3 | WireType.LENGTH) + varint(len(content)) + content


def varint_field(number: int, value: int) -> bytes:
    """The encoding of a non-negative number as a field."""
    return varint(number << 3 | WireType.VARINT) + varint(value)


def content(reader: WireReader, field: WireField, who: str) -> memoryview:
    """The bytes of a LENGTH field; `ModelFileError` for another wire type."""
    if field.wire_type is not WireType.LENGTH:
        raise wrong_wire_type(reader, field, who)
    return field.value


def text(reader: WireReader, field: WireField, who: str) -> str:
    """The string a field holds; `ModelFileError` for what is none."""
    try:
        return str(content(reader, field, who), "utf-8")
    except UnicodeDecodeError:
        raise reader.error(field.offset, f"{who} must be UTF-8 text") from None


def wrong_wire_type(reader: WireReader, field: WireField, who: str) -> ModelFileError:
    """The error of a field that cannot be laid out so."""
    return reader.error(field.offset, f"{who} cannot have wire type {field.wire_type.name}: this is no {reader.kind}")


def number(reader: WireReader, field: WireField, who: str) -> int:
    """The whole number a VARINT field holds; `ModelFileError` for another wire type."""
    if field.wire_type is not WireType.VARINT:
        raise wrong_wire_type(reader, field, who)
    return signed(int(field.value))
