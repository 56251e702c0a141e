"""Caffemodels are made here with a few lines of protobuf encoding of their own, field numbers from caffe.proto."""

from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortado.errors import ModelFileError
from cortado.frontends.caffemodel import parse_caffemodel, read_caffemodel, write_caffemodel


def number(value):
    """A varint."""
    value %= 2**64
    return bytes([value]) if value < 128 else bytes([value % 128 + 128]) + number(value // 128)


def message(field, content):
    """A field of wire type 2."""
    return number(field * 8 + 2) + number(len(content)) + content


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def shape(*dims):
    """BlobProto.shape = 7, BlobShape.dim = 1, packed."""
    return message(7, message(1, b"".join(number(dim) for dim in dims)))


def blob(content):
    """LayerParameter.blobs = 7."""
    return message(7, content)


def layer(name, *blobs):
    """NetParameter.layer = 100, LayerParameter.name = 1 and type = 2."""
    return message(100, message(1, name.encode()) + message(2, b"Convolution") + b"".join(blobs))


TWO_BY_THREE = message(5, floats(1, 2, 3, 4, 5, 6)) + shape(2, 3)


def read(data):
    return {name: [(blob.shape, blob.ravel().tolist()) for blob in blobs]
            for name, blobs in parse_caffemodel(data, file="f").items()}


def refusal(data):
    with pytest.raises(ModelFileError) as caught:
        parse_caffemodel(data, file="f")
    return str(caught.value)


def test_todays_form():
    trained = layer("ip", blob(TWO_BY_THREE), blob(message(5, floats(7, 8)) + shape(2)))
    data = message(1, b"net") + layer("data") + trained
    assert read(data) == {"ip": [((2, 3), [1, 2, 3, 4, 5, 6]), ((2,), [7, 8])]}


def test_v1_form_with_four_dimensions():
    """NetParameter.layers = 2; V1LayerParameter.name = 4, type = 5, blobs = 6; BlobProto.num = 1 to width = 4."""
    dims = b"".join(number(field * 8) + number(dim) for field, dim in enumerate((1, 1, 2, 3), start=1))
    v1 = message(2, message(2, b"data") + message(4, b"ip") + number(5 * 8) + number(14)
                 + message(6, dims + message(5, floats(1, 2, 3, 4, 5, 6))))
    assert read(v1) == {"ip": [((1, 1, 2, 3), [1, 2, 3, 4, 5, 6])]}


def test_numbers_one_by_one_and_in_parts():
    singles = b"".join(number(5 * 8 + 5) + floats(value) for value in (1, 2)) + message(5, floats(3, 4))
    dims = message(7, number(8) + number(2) + number(8) + number(2))
    assert read(layer("a", blob(singles + dims))) == {"a": [((2, 2), [1, 2, 3, 4])]}


def test_doubles_become_floats():
    doubles = message(8, struct.pack("<2d", 0.1, 1e300)) + shape(2)
    values, = parse_caffemodel(layer("a", blob(doubles)))["a"]
    assert values.dtype == np.float32
    assert values.tolist() == [np.float32(0.1), np.inf]


def test_differences_and_unknown_fields_are_passed_over():
    extra = message(6, floats(9, 9, 9, 9, 9, 9)) + number(999 * 8) + number(1)
    assert read(layer("a", blob(TWO_BY_THREE + extra))) == {"a": [((2, 3), [1, 2, 3, 4, 5, 6])]}


def test_written_bytes(tmp_path):
    """Every byte of a file with one blob of one value, from the documentation of the encoding."""
    path = tmp_path / "a.caffemodel"
    write_caffemodel(path, "n", {"l": ("T", (np.array([1.0]),))})
    assert path.read_bytes().hex(" ") == (
        "0a 01 6e "  # NetParameter.name = "n"
        "a2 06 13 "  # NetParameter.layer, 19 bytes
        "0a 01 6c 12 01 54 "  # name = "l", type = "T"
        "3a 0b "  # blobs, 11 bytes
        "2a 04 00 00 80 3f "  # data = [1.0]
        "3a 03 0a 01 01")  # shape { dim: 1 }


def test_written_weights_are_read_again(tmp_path, rng):
    path = tmp_path / "a.caffemodel"
    weights = {"conv": (rng.standard_normal((4, 3, 3, 3)).astype(np.float32), np.arange(4, dtype=np.float32)),
               "größe/1": (rng.standard_normal((200, 7)).astype(np.float32),)}
    write_caffemodel(path, "n", {name: ("Convolution", blobs) for name, blobs in weights.items()})
    found = read_caffemodel(path)
    assert list(found) == list(weights)
    for name, blobs in weights.items():
        for blob_found, blob_written in zip(found[name], blobs, strict=True):
            np.testing.assert_array_equal(blob_found, blob_written)


NO_CAFFEMODEL = "a caffemodel must hold layers, this file has none: it is empty or no caffemodel"
NO_PROTOBUF = "a caffemodel must be a binary protobuf file"
CUT = "the file is truncated or no caffemodel"
LIMITS = "shape must have up to 32 dimensions of at least 1 and up to 2147483647 values in all"


@pytest.mark.parametrize(("data", "text"), [
    (b"", f"f: {NO_CAFFEMODEL}"),
    (message(1, b"net"), f"f: {NO_CAFFEMODEL}"),
    # An ONNX file begins with its version, a number, where Caffe has the network's name.
    (b"\x08\x07\x12\x07pytorch", "f: byte 0: the network's name cannot have wire type VARINT: this is no caffemodel"),
    (b"PK\x03\x04", f"f: byte 2: no protobuf field starts here (field number 0, wire type 3); {NO_PROTOBUF}"),
    (b"\x89PNG\r\n\x1a\n", f"f: byte 0: field 1281 must have 8 bytes, 6 are left: {CUT}"),
    (layer("a", blob(TWO_BY_THREE))[:-4], f"f: byte 0: field 100 must have 50 bytes, 46 are left: {CUT}"),
    (number(100 * 8) + number(3), "f: byte 0: a layer cannot have wire type VARINT: this is no caffemodel"),
    (layer("a", number(7 * 8) + number(1)),
     "f: byte 19: blob 0 of layer 'a' cannot have wire type VARINT: this is no caffemodel"),
    (layer("a", blob(message(5, floats(1)) + shape(2))),
     "f: byte 19: blob 0 of layer 'a': shape 2 must have 2 values, not 1"),
    (layer("a", blob(message(5, b"\0\0\0") + shape(1))),
     "f: byte 21: blob 0 of layer 'a': values must be whole numbers of 4 bytes, not 3 bytes"),
    (layer("a", blob(number(5 * 8) + number(1) + shape(1))),
     "f: byte 21: the values of blob 0 of layer 'a' cannot have wire type VARINT: this is no caffemodel"),
    (layer("a", blob(shape(-1, 2))), f"f: byte 19: blob 0 of layer 'a': {LIMITS}, not -1x2"),
    (layer("a", blob(shape(2**20, 2**20))), f"f: byte 19: blob 0 of layer 'a': {LIMITS}, not 1048576x1048576"),
    (layer("a", blob(message(5, floats(1)))), f"f: byte 19: blob 0 of layer 'a': {LIMITS}, not 0x0x0x0"),
    (layer("a", blob(shape(*[1] * 33))), f"f: byte 19: blob 0 of layer 'a': {LIMITS}, not 33 dimensions"),
    (layer("a", blob(message(7, number(8 + 5) + floats(1)))),
     "f: byte 23: a dimension of blob 0 of layer 'a' cannot have wire type FIXED32: this is no caffemodel"),
    (layer("a", blob(message(1, b""))),
     "f: byte 21: a dimension of blob 0 of layer 'a' cannot have wire type LENGTH: this is no caffemodel"),
    (layer("a", blob(message(5, floats(1)) + message(8, struct.pack("<d", 1)) + shape(2))),
     "f: byte 19: blob 0 of layer 'a': values must be float or double, not both"),
    (message(100, message(1, b"\xff")), "f: byte 3: a layer's name must be UTF-8 text"),
    (layer("a", blob(TWO_BY_THREE)) * 2,
     "f: byte 53: layer 'a': trained layers must have different names, two have this one"),
    (message(2, message(1, b"")),
     "f: byte 2: V0 layers are not supported; Caffe's upgrade_net_proto_binary writes them anew"),
])
def test_what_is_no_caffemodel(data, text):
    assert refusal(data) == text


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelFileError) as caught:
        read_caffemodel(tmp_path / "no.caffemodel")
    assert str(caught.value) == f"{tmp_path}/no.caffemodel: the file cannot be read: No such file or directory"


FIRST_LAYER = message(1, b"net") + layer("conv", blob(TWO_BY_THREE), blob(message(5, floats(7, 8)) + shape(2)))
GOOD = FIRST_LAYER + message(2, message(4, b"old") + message(6, message(8, struct.pack("<d", 3)) + shape(1)))


def test_cut_between_two_layers_is_a_file_of_fewer():
    """The format cannot tell; the network then misses a layer's weights."""
    assert list(read(FIRST_LAYER)) == ["conv"]


@pytest.mark.parametrize("length", [length for length in range(1, len(GOOD)) if length != len(FIRST_LAYER)])
def test_cut_anywhere_else_is_an_error(length):
    assert refusal(GOOD[:length]).endswith((CUT, NO_CAFFEMODEL))


@given(st.binary(max_size=200))
def test_any_bytes_are_weights_or_an_error(data):
    with suppress(ModelFileError):
        parse_caffemodel(data)


@given(st.data())
def test_any_damage_is_weights_or_an_error(data):
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(damaged)))
    with suppress(ModelFileError):
        parse_caffemodel(bytes(damaged[:start] + data.draw(st.binary(max_size=9)) + damaged[start:]))


def test_squeezenet(real_files):
    """The published size of SqueezeNet v1.0: 1,248,424 parameters in 26 convolutions."""
    weights = read_caffemodel(real_files / "squeezenet" / "squeezenet_v1.0.caffemodel")
    assert len(weights) == 26
    assert sum(blob.size for blobs in weights.values() for blob in blobs) == 1_248_424
    assert [blob.shape for blob in weights["conv1"]] == [(96, 3, 7, 7), (96,)]
