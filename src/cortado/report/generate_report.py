"""`cortado generate`: what was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cortado.report.figures import count
from cortado.report.report import Column, Report, Table


def generate_report(manifest: Mapping[str, object], folder: Path) -> Report:
    """The jobs of a bundle."""
    rows = tuple((job["layer"], count(job["descriptor_count"]), count(job["memory"]["weights"]["bytes"]),
                  count(job["estimated_cycles"]), job["descriptors_file"]) for job in manifest["jobs"])
    return Report(
        command="generate", title=f"{manifest['network']} written to {folder}",
        data={"folder": str(folder), "manifest": manifest},
        tables=(Table(columns=(
            Column(title="job"), Column(title="descriptors", number=True), Column(title="weight bytes", number=True),
            Column(title="cycles, estimated", number=True), Column(title="file")), rows=rows),),
        lines=("", (f"engine.v       {manifest['engine']}, {manifest['multipliers']} multipliers, configuration "
                    f"{manifest['configuration_hash']}"), "manifest.json  configuration, ports, memory map, tools"))
