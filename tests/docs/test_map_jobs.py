"""The tables of docs/map_jobs.md against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cortado.gateware.descriptor import DESCRIPTOR_WORDS, Flag
from cortado.gateware.map_checks import LARGEST_SIDE
from cortado.gateware.map_descriptor import MAP_FIELD_NAMES, MapFlag
from cortado.gateware.pooling_command import LARGEST_AVERAGE, OPEN_WINDOWS

PAGE = Path(__file__).parents[2] / "docs" / "map_jobs.md"


@pytest.fixture(scope="module")
def tables() -> dict[tuple[str, ...], list[list[str]]]:
    """Rows of each table by its title row, code marks removed."""
    found = {}
    for table in re.findall(r"(?:^\|.*\|\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        title, _, *rows = ([cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
                           for line in table.strip().splitlines())
        found[tuple(title)] = rows
    return found


def test_words(tables):
    rows = tables["word", "field", "meaning"]
    assert [int(row[0]) for row in rows] == list(range(DESCRIPTOR_WORDS))
    assert [row[1] for row in rows] == [*MAP_FIELD_NAMES, *[""] * (DESCRIPTOR_WORDS - len(MAP_FIELD_NAMES))]


def test_flags(tables):
    rows = tables["bit of flags", "name", "meaning"]
    assert [(1 << int(row[0]), row[1]) for row in rows] == [
        (flag.value, flag.name) for flag in (Flag.LAST, *MapFlag)]


def test_limits(tables):
    most = {row[0]: row[1] for row in tables["number", "most", "because"]}
    assert most == {
        "beats of a row": "pooling_row_beats",
        "windows open at once along a side": str(OPEN_WINDOWS),
        "rows and columns of an averaged window": str(LARGEST_AVERAGE),
        "rows, columns, kernel, stride": str(LARGEST_SIDE),
        "bottoms of an addition": "2",
    }
