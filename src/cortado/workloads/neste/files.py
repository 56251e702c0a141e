"""Data files: FBH, FBHE and DBHE as NestE's repository has them.

Its copies of FBH and FBHE are those whose nested facts fit their triples; BiVE's later ones lost a triple.
"""

from __future__ import annotations

import csv
from pathlib import Path

from cortado.frontends.data_file import DataFile, data_files, on_github

_AUTHORS = ("xiongbo010/NestE", "8ece56cf8505b27f7cb3bbbe95860e5ab6df456a")

with (Path(__file__).parent / "files.csv").open(encoding="utf-8", newline="") as _manifest:
    for _row in csv.DictReader(_manifest):
        data_files.register(f"neste/{_row['path']}")(DataFile(
            name=f"neste/{_row['path']}", path=f"neste/{_row['path']}",
            url=on_github(*_AUTHORS, f"benchmarks/{_row['path']}"), sha256=_row["sha256"],
            size_bytes=int(_row["size_bytes"]), licence="CC BY-NC 4.0",
            purpose="nested facts over Freebase and DBpedia (FBH, FBHE, DBHE of BiVE)"))
