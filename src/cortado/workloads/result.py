"""The record of a run: what was asked, what it ran on, what it found."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cortado import __version__
from cortado.errors import WorkloadError
from cortado.frontends.file import read_text, write_whole
from cortado.workloads.figure import Metrics

FILE_NAME = "result.json"


@dataclass(frozen=True, kw_only=True)
class UsedFile:
    """A file the run read, and its content."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """`metrics` are figures by split and name, `pictures` names of files beside the record, `seconds` wall time; where
    the run was `resumed`, of its last piece.
    """

    workload: str
    dataset: str
    settings: Mapping[str, Any]
    seed: int
    device: str | None
    threads: int
    data: tuple[UsedFile, ...]
    versions: Mapping[str, str]
    metrics: Metrics
    pictures: tuple[str, ...]
    seconds: float
    resumed: bool

    def data_fields(self) -> dict[str, Any]:
        """The record as values of JSON."""
        return asdict(self)

    def write(self, folder: Path) -> Path:
        """Write the record, whole or not at all; raises `ModelFileError`."""
        path = folder / FILE_NAME
        write_whole(path, (json.dumps(self.data_fields(), indent=2) + "\n").encode())
        return path


def read_result(path: Path) -> Result:
    """The record in a file; raises `ModelFileError` for one that cannot be read, `WorkloadError` for what is none."""
    try:
        entries = json.loads(read_text(path))
        if set(entries) != {entry.name for entry in fields(Result)}:
            raise ValueError("its entries are others")
        return Result(**{**entries, "pictures": tuple(entries["pictures"]),
                         "data": tuple(UsedFile(**file) for file in entries["data"])})
    except (ValueError, TypeError, KeyError) as error:
        raise WorkloadError(f"'{path}': it must be the record of a run of a workload: {error}") from None


def versions() -> dict[str, str]:
    """Of what computes."""
    return {"cortado": __version__, "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "scikit-learn")}}
