from __future__ import annotations

import struct

import numpy as np
import pytest

from cortado.errors import ModelFileError, PictureError
from cortado.frontends.mean_file import read_mean_file


def blob_file(path, dims, values):
    """Caffe's form of a mean: a BlobProto with num, channels, height and width, and its values one by one."""
    content = b"".join(bytes([number << 3, dim]) for number, dim in enumerate(dims, start=1))
    content += b"".join(b"\x2d" + struct.pack("<f", value) for value in values)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 3, 4, 5)])
def test_a_mean_picture(tmp_path, rng, shape):
    values = rng.standard_normal(shape).astype(np.float32)
    np.save(tmp_path / "mean.npy", values)
    np.testing.assert_array_equal(read_mean_file(tmp_path / "mean.npy", 3, (4, 5)), values.reshape(3, 4, 5))
    path = blob_file(tmp_path / "mean.binaryproto", (1, 3, 4, 5), values.reshape(-1))
    np.testing.assert_array_equal(read_mean_file(path, 3, (4, 5)), values.reshape(3, 4, 5))


def test_a_number_for_each_channel(tmp_path):
    np.save(tmp_path / "mean.npy", [104, 117, 123])
    found = read_mean_file(tmp_path / "mean.npy", 3, (4, 5))
    assert (found.shape, found.reshape(-1).tolist(), found.dtype) == ((3, 1, 1), [104, 117, 123], np.float32)


@pytest.mark.parametrize(("values", "words"), [
    (np.zeros((3, 5, 4)), "its shape must be 3x4x5 as of the pictures before the crop, or 3 numbers, not 3x5x4"),
    (np.zeros((2, 3, 4, 5)), "its shape must be 3x4x5 as of the pictures before the crop, or 3 numbers, not 2x3x4x5"),
    (np.zeros(2), "its shape must be 3x4x5 as of the pictures before the crop, or 3 numbers, not 2"),
    (np.zeros(()), "its shape must be 3x4x5 as of the pictures before the crop, or 3 numbers, not scalar"),
    (np.array([1, np.nan, 3]), "every number must be finite"),
    (np.array(["a", "b", "c"]), "it must hold one array of numbers"),
])
def test_wrong_arrays(tmp_path, values, words):
    path = tmp_path / "mean.npy"
    np.save(path, values)
    with pytest.raises(PictureError) as caught:
        read_mean_file(path, 3, (4, 5))
    assert str(caught.value) == f"mean file '{path}': {words}"


def test_a_blob_of_the_wrong_shape(tmp_path):
    path = blob_file(tmp_path / "mean.binaryproto", (1, 1, 2, 2), range(4))
    with pytest.raises(PictureError) as caught:
        read_mean_file(path, 3, (4, 5))
    assert str(caught.value) == (f"mean file '{path}': its shape must be 3x4x5 as of the pictures before the crop, or "
                                 "3 numbers, not 1x1x2x2")


def test_wrong_files(tmp_path):
    with pytest.raises(PictureError) as caught:
        read_mean_file(tmp_path / "mean.txt", 3, (4, 5))
    assert str(caught.value) == f"mean file '{tmp_path}/mean.txt': it must be one of .npy, .binaryproto"
    with pytest.raises(PictureError) as caught:
        read_mean_file(tmp_path / "mean.npy", 3, (4, 5))
    assert str(caught.value) == f"mean file '{tmp_path}/mean.npy': no such file"
    with pytest.raises(ModelFileError) as caught:
        read_mean_file(tmp_path / "mean.binaryproto", 3, (4, 5))
    assert str(caught.value) == f"{tmp_path}/mean.binaryproto: the file cannot be read: No such file or directory"
    (tmp_path / "mean.binaryproto").write_bytes(b"no blob at all")
    with pytest.raises(ModelFileError, match=rf"^{tmp_path}/mean\.binaryproto: byte \d+: "):
        read_mean_file(tmp_path / "mean.binaryproto", 3, (4, 5))
