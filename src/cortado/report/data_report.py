"""`cortado data`: the files from outside and where they are."""

from __future__ import annotations

from itertools import groupby

from cortado.frontends.data_file import DataFile, data_files
from cortado.frontends.data_store import data_folder, place_of, state_of
from cortado.report.report import Column, Report, Table


def data_report(names: tuple[str, ...] | None = None) -> Report:
    """Every data file, or those of the given names: what it is for, and whether it is here.

    The text has one row for files that belong together.
    """
    files = [data_files[name] for name in (data_files if names is None else names)]
    entries = [_entry(file) for file in files]
    rows = tuple(_row(name, list(group)) for name, group in groupby(
        zip(files, entries, strict=True), key=lambda pair: pair[0].collection))
    absent = [name for name, state, *_ in rows if state != "here"]
    return Report(
        command="data", title=f"data files, in {data_folder()}",
        data={"folder": str(data_folder()), "files": entries},
        tables=(Table(columns=(Column(title="name"), Column(title="state"), Column(title="bytes", number=True),
                               Column(title="licence"), Column(title="what for", wraps=True)), rows=rows),),
        lines=("", f"cortado data get {absent[0]} fetches what is not here") if absent else ())


def _row(name: str, group: list[tuple[DataFile, dict[str, object]]]) -> tuple[str, ...]:
    states = [entry["state"] for _, entry in group]
    first, size = group[0][0], sum(file.size_bytes for file, _ in group)
    state = states[0] if len(set(states)) == 1 else f"{states.count('here')} of {len(states)} here"
    files = "" if len(group) == 1 else f" ({len(group)} files)"
    return name, state, f"{size:,}", first.licence, f"{first.purpose}{files}"


def _entry(file: DataFile) -> dict[str, object]:
    return {"name": file.name, "state": state_of(file).value, "path": str(place_of(file)), "url": file.url,
            "sha256": file.sha256, "size_bytes": file.size_bytes, "licence": file.licence, "purpose": file.purpose}
