"""Keeping measurements on the disk."""

from __future__ import annotations

import json
import re

import pytest

from cortado.bench.layer import layers_of
from cortado.bench.results_file import ResultsFile
from cortado.errors import CortadoError


@pytest.fixture
def layer():
    return layers_of("alexnet", batch=1)[0]


def test_what_is_kept_is_found_again(tmp_path, layer, measurement):
    path = tmp_path / "results.json"
    results = ResultsFile(path)
    assert (results.find("a"), len(results)) == (None, 0)
    results.keep("a", layer, measurement(100))
    results.keep("b", layer, measurement(200))
    again = ResultsFile(path)
    assert (again.find("a"), again.find("b"), again.find("c")) == (measurement(100), measurement(200), None)
    assert len(again) == 2


def test_every_measurement_is_on_the_disk_at_once(tmp_path, layer, measurement):
    path = tmp_path / "results.json"
    results = ResultsFile(path)
    for number in range(3):
        results.keep(str(number), layer, measurement())
        assert len(json.loads(path.read_text())["results"]) == number + 1
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


def test_an_entry_says_what_it_is_of(tmp_path, layer, measurement):
    path = tmp_path / "results.json"
    ResultsFile(path).keep("a", layer, measurement())
    entry = json.loads(path.read_text())["results"]["a"]
    assert [entry[name] for name in ("network", "layer", "shape", "batch")] == [
        "alexnet", "conv1", "3x227x227 -> 96, 11x11/4", 1]


def test_without_a_path_nothing_is_written(layer, measurement):
    results = ResultsFile(None)
    results.keep("a", layer, measurement())
    assert results.find("a") == measurement()


def test_a_write_that_fails_leaves_what_was_there(tmp_path, layer, measurement, monkeypatch):
    path = tmp_path / "results.json"
    results = ResultsFile(path)
    results.keep("a", layer, measurement())
    before = path.read_bytes()

    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    message = (f"'{path}': the results must be a file that can be written, not refuse with 'No space left on device'; "
               "give another one")
    with pytest.raises(CortadoError, match=f"^{re.escape(message)}$"):
        results.keep("b", layer, measurement())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize("text", ["{}", "[]", '{"kind": "cortado bench engine", "version": 2, "results": {}}'])
def test_another_file_is_refused_and_stays(tmp_path, text):
    path = tmp_path / "notes.json"
    path.write_text(text)
    message = f"'{path}': the results must be a file of cortado bench engine, version 1; give another one"
    with pytest.raises(CortadoError, match=f"^{re.escape(message)}$"):
        ResultsFile(path)
    assert path.read_text() == text


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Ruhe")
    with pytest.raises(CortadoError, match=f"^'{re.escape(str(path))}': the results must be a file a bench wrote, not "
                                           "one that cannot be read "):
        ResultsFile(path)


def test_a_folder_that_is_not_there_is_found_out_at_once(tmp_path):
    path = tmp_path / "nowhere" / "results.json"
    message = (f"'{path}': the results must be a file that can be written, not refuse with 'No such file or "
               "directory'; give another one")
    with pytest.raises(CortadoError, match=f"^{re.escape(message)}$"):
        ResultsFile(path)
