"""`cortado data`, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from cortado.cli import cli
from cortado.errors import DataError
from cortado.frontends.data_file import data_files

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "data.schema.json"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTADO_DATA", str(tmp_path))
    return tmp_path


def printed_by(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["data", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_list_says_what_is_here_and_what_it_is_for(folder):
    (folder / "squeezenet").mkdir()
    (folder / "squeezenet" / "deploy.prototxt").write_text("another file")
    text = printed_by("list")
    assert f"data files, in {folder}" in text
    states = {line.split("  ")[0]: line for line in text.splitlines()}
    assert "not here" in states["squeezenet"]
    assert "damaged" in states["squeezenet-prototxt"]
    assert "uk-covid" in states
    first = min(name.partition("/")[0] for name in data_files if name != "squeezenet-prototxt")
    assert text.endswith(f"cortado data get {first} fetches what is not here\n")
    report = json.loads(printed_by("list", "--json"))
    assert list(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(report)) == []
    assert {file["name"]: file["state"] for file in report["files"]} == {
        **dict.fromkeys(data_files, "not here"), "squeezenet-prototxt": "damaged"}


def test_path_and_get_print_the_path(real_files):
    path = str(real_files / "squeezenet" / "compressed_SqueezeNet.net")
    assert printed_by("path", "squeezenet") == printed_by("get", "squeezenet") == f"{path}\n"
    report = json.loads(printed_by("path", "squeezenet", "--json"))
    assert list(Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(report)) == []
    assert [file["path"] for file in report["files"]] == [path]


def test_path_of_a_file_that_is_not_here(folder):
    with pytest.raises(DataError) as caught:
        CliRunner().invoke(cli, ["data", "path", "squeezenet"], catch_exceptions=False)
    assert str(caught.value) == (f"data file 'squeezenet' must be in {folder}, it is not there; cortado data get "
                                 "squeezenet fetches it")


def test_files_that_belong_together_have_one_name(real_files):
    paths = [str(real_files / "uk_covid" / name) for name in ("UK_2022_2023.csv", "I_diff_7days_values_only.csv")]
    assert printed_by("path", "uk-covid").splitlines() == printed_by("get", "uk-covid").splitlines() == paths
    row = next(line for line in printed_by("list").splitlines() if line.startswith("uk-covid "))
    assert "13,588" in row
    assert row.rstrip().endswith("(2 files)")


def test_some_of_several_files(folder):
    place = folder / "uk_covid"
    place.mkdir()
    (place / "UK_2022_2023.csv").write_text("another file")
    row = next(line for line in printed_by("list").splitlines() if line.startswith("uk-covid "))
    assert "0 of 2 here" in row
