"""`cortado generate --target hls`: what was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cortado.report.figures import count
from cortado.report.report import Column, Report, Table


def generate_hls_report(manifest: Mapping[str, Any], folder: Path) -> Report:
    """The layers of an HLS project and the kernels they run on."""
    rows = tuple((layer["layer"], layer["kernel"], count(layer["calls"]), count(layer["macs"]),
                  count(layer["estimated_cycles"]), count(layer["estimated_dsps"])) for layer in manifest["layers"])
    lines = ("", (f"kernels/       {len(manifest['kernels'])} of {manifest['engine']}, configuration "
                  f"{manifest['configuration_hash']}"),
             "Makefile       make csim compares them with golden vectors, with g++ alone",
             f"run_hls.tcl    for Vitis HLS, {manifest['part']} at {manifest['clock_mhz']:g} MHz; nobody has run it",
             "manifest.json  configuration, formats, estimates, tools",
             "cycles and DSPs are estimates; no synthesis has confirmed them")
    return Report(
        command="generate-hls", title=f"{manifest['network']} written to {folder}",
        data={"folder": str(folder), "manifest": dict(manifest)},
        tables=(Table(columns=(
            Column(title="layer"), Column(title="kernel"), Column(title="calls", number=True),
            Column(title="MACs", number=True), Column(title="cycles, estimated", number=True),
            Column(title="DSPs, estimated", number=True)), rows=rows),),
        lines=lines)
