"""Data files: CoDEx as its authors' repository serves it, file by file.

The names of entities and the training triples of CoDEx-L are too large to be among them.
"""

from __future__ import annotations

import csv
from pathlib import Path

from cortado.frontends.data_file import DataFile, data_files, on_github

_AUTHORS = ("tsafavi/codex", "3132e426c2a6b643b70bad679905a3a6270be440")

with (Path(__file__).parent / "files.csv").open(encoding="utf-8", newline="") as _manifest:
    for _row in csv.DictReader(_manifest):
        # All but the analyses are in the repository's folder data.
        _there = _row["path"] if _row["path"].startswith("analysis/") else f"data/{_row['path']}"
        data_files.register(f"codex/{_row['path']}")(DataFile(
            name=f"codex/{_row['path']}", path=f"codex/{_row['path']}", url=on_github(*_AUTHORS, _there),
            sha256=_row["sha256"], size_bytes=int(_row["size_bytes"]), licence="MIT",
            purpose="CoDEx, triples of Wikidata: splits, hard negatives, labels, types, analyses"))
