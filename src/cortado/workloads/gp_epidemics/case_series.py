"""Daily case counts from a CSV file."""

from __future__ import annotations

import csv
import math
from functools import lru_cache
from pathlib import Path

import numpy as np

from cortado.errors import WorkloadError
from cortado.frontends.file import read_text

# Rows a message names before it stops.
MOST_ROWS = 5


def read_cases(path: Path, column: str | None = None) -> np.ndarray:
    """The positive numbers of one column of a CSV file with a header, float64 (days,), in the order of its rows.

    `column` may be left out where the file has one column, or one beside a first of dates. Raises `WorkloadError` that
    names the rows that hold no positive number, counted as lines of the file, and `ModelFileError` for a file that
    cannot be read.
    """
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0
    return _read(path, column, stamp)


@lru_cache(maxsize=8)
def _read(path: Path, column: str | None, stamp: int) -> np.ndarray:
    """As `read_cases`; a file that has not changed since is not read again."""
    rows = list(csv.reader(read_text(path).splitlines()))
    header = [name.strip() for name in rows[0]] if rows else []
    place = _place(path, header, column)
    values, bad = [], []
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        words = row[place].strip() if place < len(row) else ""
        value = _positive(words)
        if value is None:
            bad.append(f"line {line} ({words!r})")
        else:
            values.append(value)
    if bad:
        more = f" and {len(bad) - MOST_ROWS} more" if len(bad) > MOST_ROWS else ""
        raise WorkloadError(f"'{path}': column '{header[place]}' must hold a number above 0 in each row, not in "
                            f"{', '.join(bad[:MOST_ROWS])}{more}; leave such days out or fill them in")
    array = np.array(values, np.float64)
    array.flags.writeable = False
    return array


def _place(path: Path, header: list[str], column: str | None) -> int:
    if column is None and len(header) in (1, 2):
        return len(header) - 1
    if column not in header:
        must = "its column must be named" if column is None else f"it must have a column '{column}'"
        raise WorkloadError(f"'{path}': {must}; it has {', '.join(header) or 'no header'}")
    return header.index(column)


def _positive(words: str) -> float | None:
    try:
        value = float(words)
    except ValueError:
        return None
    return value if 0 < value < math.inf else None
