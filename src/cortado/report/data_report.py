"""`cortado data`: the files from outside and where they are."""

from __future__ import annotations

from cortado.frontends.data_file import DataFile, data_files
from cortado.frontends.data_store import data_folder, place_of, state_of
from cortado.report.report import Column, Report, Table


def data_report(names: tuple[str, ...] | None = None) -> Report:
    """Every data file, or those of the given names: what it is for, and whether it is here."""
    files = [data_files[name] for name in (data_files if names is None else names)]
    entries = [_entry(file) for file in files]
    rows = tuple((entry["name"], entry["state"], f"{entry['size_bytes']:,}", entry["licence"], entry["purpose"])
                 for entry in entries)
    absent = [entry["name"] for entry in entries if entry["state"] != "here"]
    return Report(
        command="data", title=f"data files, in {data_folder()}",
        data={"folder": str(data_folder()), "files": entries},
        tables=(Table(columns=(Column(title="name"), Column(title="state"), Column(title="bytes", number=True),
                               Column(title="licence"), Column(title="what for", wraps=True)), rows=rows),),
        lines=("", f"cortado data get {absent[0]} fetches what is not here") if absent else ())


def _entry(file: DataFile) -> dict[str, object]:
    return {"name": file.name, "state": state_of(file).value, "path": str(place_of(file)), "url": file.url,
            "sha256": file.sha256, "size_bytes": file.size_bytes, "licence": file.licence, "purpose": file.purpose}
