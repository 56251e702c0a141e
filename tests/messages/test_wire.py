from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortado.errors import ModelFileError
from cortado.messages.wire import WireReader, WireType, length_field, signed, varint


def fields(data):
    return [(field.number, field.wire_type.name, field.value if isinstance(field.value, int) else bytes(field.value))
            for field in WireReader(data, "f").whole_file()]


def refusal(data):
    with pytest.raises(ModelFileError) as caught:
        fields(data)
    return str(caught.value)


@pytest.mark.parametrize(("data", "expected"), [
    # The examples of "Encoding" in the protobuf documentation.
    ("08 96 01", (1, "VARINT", 150)),
    ("12 07 74 65 73 74 69 6e 67", (2, "LENGTH", b"testing")),
    ("1a 03 08 96 01", (3, "LENGTH", b"\x08\x96\x01")),
    ("08 fe ff ff ff ff ff ff ff ff 01", (1, "VARINT", 2**64 - 2)),
    # A number over 15 needs two bytes: 100 is Caffe's `layer`.
    ("a2 06 00", (100, "LENGTH", b"")),
    ("0d 00 00 80 3f", (1, "FIXED32", b"\x00\x00\x80\x3f")),
    ("09 00 00 00 00 00 00 f0 3f", (1, "FIXED64", b"\x00\x00\x00\x00\x00\x00\xf0\x3f")),
])
def test_one_field(data, expected):
    assert fields(bytes.fromhex(data)) == [expected]


def test_messages_inside_and_packed_numbers():
    reader = WireReader(bytes.fromhex("08 01 1a 08 08 96 01 22 03 05 80 01"), "f")
    first, outer = reader.whole_file()
    assert list(reader.varints(first)) == [1]
    one, packed = reader.inside(outer)
    assert (one.number, one.value, one.offset) == (1, 150, 4)
    assert (packed.number, list(reader.varints(packed)), packed.offset) == (4, [5, 128], 7)


@pytest.mark.parametrize(("data", "message"), [
    ("08", "f: byte 1: a number is cut off: the file is truncated or no caffemodel"),
    ("08 96", "f: byte 1: a number is cut off: the file is truncated or no caffemodel"),
    ("08 01 12 05 61 62",
     "f: byte 2: field 2 must have 5 bytes, 2 are left: the file is truncated or no caffemodel"),
    ("0d 00 00", "f: byte 0: field 1 must have 4 bytes, 2 are left: the file is truncated or no caffemodel"),
    ("00", ("f: byte 0: no protobuf field starts here (field number 0, wire type 0); a caffemodel must be a binary "
            "protobuf file")),
    ("0b", ("f: byte 0: no protobuf field starts here (field number 1, wire type 3); a caffemodel must be a binary "
            "protobuf file")),
    ("08" + "ff" * 11, "f: byte 1: a number must fit in 64 bits; a caffemodel must be a binary protobuf file"),
    ("08" + "ff" * 9 + "02", "f: byte 1: a number must fit in 64 bits; a caffemodel must be a binary protobuf file"),
])
def test_what_is_no_message(data, message):
    assert refusal(bytes.fromhex(data)) == message


@pytest.mark.parametrize(("value", "data"), [(0, "00"), (1, "01"), (127, "7f"), (128, "80 01"), (150, "96 01"),
                                             (2**64 - 1, "ff ff ff ff ff ff ff ff ff 01")])
def test_numbers_are_written_as_documented(value, data):
    assert varint(value) == bytes.fromhex(data)


def test_signed_numbers():
    assert signed(5) == 5
    assert signed(2**63 - 1) == 2**63 - 1
    assert signed(2**64 - 2) == -2


@given(st.integers(1, 2**29 - 1), st.binary(max_size=300))
def test_what_is_written_is_read(number, content):
    assert fields(length_field(number, content)) == [(number, "LENGTH", content)]


@given(st.binary(max_size=200))
def test_any_bytes_are_fields_or_an_error(data):
    reader = WireReader(data, "f")
    with suppress(ModelFileError):
        for field in reader.whole_file():
            if field.wire_type is WireType.LENGTH:
                with suppress(ModelFileError):
                    list(reader.inside(field))
                    list(reader.varints(field))
