"""Where records of runs are found: in the folders of a user's runs, and those that come with cortado."""

from __future__ import annotations

from pathlib import Path

from cortado.resources import models_root
from cortado.workloads.result import FILE_NAME, Result, read_result

# In the folder of a workload's networks.
RECORDED = "results"


def result_in(folder: Path) -> Result | None:
    """The record of the run in a folder; None where none is done."""
    path = folder / FILE_NAME
    return read_result(path) if path.is_file() else None


def found_results(name: str, folder: Path) -> tuple[Result, ...]:
    """The records of a workload in a folder and those within, in the order of their paths."""
    results = (read_result(path) for path in sorted(folder.rglob(FILE_NAME)))
    return tuple(result for result in results if result.workload == name)


def recorded_results(name: str) -> tuple[Result, ...]:
    """The records that come with cortado, of the runs its documentation quotes."""
    return tuple(read_result(path) for path in sorted((models_root() / name / RECORDED).glob("*.json")))
