from __future__ import annotations

from pathlib import Path

import pytest

from cortado.errors import LayerError
from cortado.layers.source_path import source_lines, source_path


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """examples/mnist/net.prototxt and data/list.txt, as in Caffe's checkout, and a folder elsewhere to run in."""
    (tmp_path / "examples" / "mnist").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "list.txt").write_text("a 1\n\nb 2\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


def test_from_the_folder_of_the_naming_file_upwards(tree):
    assert source_path("data/list.txt", tree / "examples" / "mnist" / "net.prototxt") == tree / "data" / "list.txt"


def test_the_folder_caffe_runs_in_comes_first(tree):
    (tree / "elsewhere" / "data").mkdir()
    (tree / "elsewhere" / "data" / "list.txt").touch()
    assert source_path("data/list.txt", tree / "examples" / "mnist" / "net.prototxt") == Path("data/list.txt")


def test_what_is_nowhere_keeps_its_name(tree):
    assert source_path("no.txt", tree / "net.prototxt") == Path("no.txt")


def test_lines_of_a_list(tree, make_spec):
    spec = make_spec("ReLU")
    assert source_lines(spec, str(tree / "data" / "list.txt")) == ["a 1", "b 2"]
    with pytest.raises(LayerError) as caught:
        source_lines(spec, "no.txt")
    assert str(caught.value) == ("layer 'x': source 'no.txt' must be a text file that can be read: No such file or "
                                 "directory")
    (tree / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(LayerError, match=r"it is no UTF-8$"):
        source_lines(spec, str(tree / "binary"))
