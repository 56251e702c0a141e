"""`cortado generate`: what was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from cortado.boards.board_files import BoardPackage
from cortado.executor.testbench import CocotbBench
from cortado.report.figures import count
from cortado.report.report import Column, Report, Table


def generate_report(manifest: Mapping[str, object], folder: Path, *, bench: CocotbBench | None = None,
                    package: BoardPackage | None = None) -> Report:
    """The jobs of a bundle, and what was added to it: a test bench, the files for a board."""
    rows = tuple((job["layer"], count(job["descriptor_count"]), count(job["memory"]["weights"]["bytes"]),
                  count(job["estimated_cycles"]), job["descriptors_file"]) for job in manifest["jobs"])
    lines = ["", (f"engine.v       {manifest['engine']}, {manifest['multipliers']} multipliers, configuration "
                  f"{manifest['configuration_hash']}"), "manifest.json  configuration, ports, memory map, tools"]
    if bench is not None:
        lines.append(f"testbench/     cocotb bench of {', '.join(bench.layers)}; run make or pytest there")
    if package is not None:
        lines += ["", f"for {package.board.title}, {package.board.part}; nobody has run it on the board:"]
        width = max(len(file.name) for file in package.files)
        lines += [f"{file.name:{width}}  {file.says}: {file.checked}" for file in package.files]
    return Report(
        command="generate", title=f"{manifest['network']} written to {folder}",
        data={"folder": str(folder), "manifest": manifest,
              "testbench_layers": None if bench is None else list(bench.layers),
              "board": None if package is None else {
                  "name": package.board.name, "part": package.board.part,
                  "files": [asdict(file) for file in package.files]}},
        tables=(Table(columns=(
            Column(title="job"), Column(title="descriptors", number=True), Column(title="weight bytes", number=True),
            Column(title="cycles, estimated", number=True), Column(title="file")), rows=rows),),
        lines=tuple(lines))
