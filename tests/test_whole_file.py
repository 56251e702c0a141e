"""Files that are written whole or not at all."""

from __future__ import annotations

import os

import pytest

from cortado.whole_file import require_writable, write_whole


def test_a_new_file_and_one_that_is_replaced(tmp_path):
    path = tmp_path / "file"
    for content in (b"first", b"2"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_was_there_stays_when_something_fails(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def fail(*_: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match=r"^full$"):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_asking_changes_nothing(tmp_path):
    path = tmp_path / "file"
    require_writable(path)
    assert not path.exists()
    path.write_bytes(b"content")
    require_writable(path)
    assert path.read_bytes() == b"content"
    with pytest.raises(FileNotFoundError):
        require_writable(tmp_path / "missing" / "file")
