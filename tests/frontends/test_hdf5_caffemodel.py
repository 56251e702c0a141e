from __future__ import annotations

import io

import h5py
import numpy as np
import pytest

from cortado.errors import ModelFileError
from cortado.frontends.caffemodel import parse_caffemodel
from cortado.frontends.hdf5_caffemodel import encode_hdf5_caffemodel


def file_of(write):
    """The bytes of a file that h5py writes."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        write(file)
    return buffer.getvalue()


def test_a_file_as_caffe_writes_it():
    """Net::ToHDF5: data/LAYER/INDEX, and a group for every layer, whether it has blobs or not."""
    weight, bias = np.arange(6, dtype=np.float64).reshape(2, 3), np.array([1.5, -2], np.float32)

    def write(file):
        file.create_group("data/relu")
        file["data/ip/0"], file["data/ip/1"] = weight, bias
        # GoogLeNet's names have slashes.
        file["data/inception_3a/1x1/0"] = bias
        file["diff/ip/0"] = weight

    found = parse_caffemodel(file_of(write))
    assert {name: [blob.dtype for blob in blobs] for name, blobs in found.items()} == {
        "ip": [np.float32] * 2, "inception_3a/1x1": [np.float32]}
    np.testing.assert_array_equal(found["ip"][0], weight)
    np.testing.assert_array_equal(found["ip"][1], bias)


def test_what_is_written():
    weight, bias = np.ones((2, 3), np.float32), np.zeros(2, np.float32)
    written = encode_hdf5_caffemodel({"a/b": (weight, bias)}, {"a/b": (2 * weight, bias)})
    assert written == encode_hdf5_caffemodel({"a/b": (weight, bias)}, {"a/b": (2 * weight, bias)})
    with h5py.File(io.BytesIO(written)) as file:
        assert (list(file), list(file["data"]), list(file["data/a"])) == (["data", "diff"], ["a"], ["b"])
        np.testing.assert_array_equal(file["data/a/b/0"], weight)
        np.testing.assert_array_equal(file["diff/a/b/0"], 2 * weight)
        assert file["data/a/b/1"].dtype == np.float32


ZEROS = np.zeros((30, 30), np.float32)


@pytest.mark.parametrize(("write", "message"), [
    (lambda file: file.create_group("diff"), "a caffemodel must hold a group 'data', this file has only diff"),
    (lambda file: file.create_dataset("data", data=[1.0]), "'/data' must be a group of arrays"),
    (lambda file: file.create_dataset("data/0", data=[1.0]),
     "'data/0' must be a blob, LAYER/INDEX, of at least one value"),
    (lambda file: file.create_dataset("data/ip/weight", data=[1.0]),
     "'data/ip/weight' must be a blob, LAYER/INDEX, of at least one value"),
    (lambda file: file.create_dataset("data/ip/0", data=[1]),
     "'data/ip/0' must be a blob, LAYER/INDEX, of at least one value"),
    (lambda file: file.create_dataset("data/ip/1", data=[1.0]),
     ("layer 'ip': blobs must be numbered from 0, not 1; Caffe leaves out those that an earlier layer shares, give a "
     "file of protobuf then")),
    (lambda file: file.create_dataset("data/ip/0", data="text"), "'/data/ip/0' must be an array of numbers or a text"),
    (lambda file: file.create_dataset("data/ip/0", data=ZEROS, compression="gzip"),
     "'/data/ip/0' must be stored in one piece and uncompressed, as Caffe does it"),
    # Gigabytes of fill values in a file of a few bytes.
    (lambda file: file.create_dataset("data/ip/0", shape=(2**28, 7), dtype="f4"),
     "'/data/ip/0' must be stored in one piece and uncompressed, as Caffe does it"),
])
def test_what_is_no_caffemodel(write, message):
    with pytest.raises(ModelFileError) as caught:
        parse_caffemodel(file_of(write), file="f")
    assert str(caught.value) == f"f: {message}"


def test_a_damaged_file():
    data = file_of(lambda file: file.create_dataset("data/ip/0", data=[1.0]))
    with pytest.raises(ModelFileError, match=r"^f: an HDF5 file must hold together, this one is damaged: "):
        parse_caffemodel(data[:-20], file="f")
