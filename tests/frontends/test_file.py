from __future__ import annotations

import os

import pytest

from cortado.errors import ModelFileError
from cortado.frontends.file import make_folder, write_whole


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "f"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["f"]


def test_what_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "f"
    write_whole(path, b"old")

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError) as caught:
        write_whole(path, b"new")
    assert str(caught.value) == f"{path}: the file cannot be written: No space left on device"
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["f"])


def test_a_folder_to_write_into(tmp_path):
    make_folder(tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == []
    (tmp_path / "file").touch()
    with pytest.raises(ModelFileError) as caught:
        make_folder(tmp_path / "file")
    assert str(caught.value) == f"{tmp_path}/file: it must be a folder that can be written to: File exists"
