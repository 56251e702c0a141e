"""`cortado generate --target hls --precision`: what was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cortado.report.figures import count
from cortado.report.report import Column, Report, Table


def floating_report(manifest: Mapping[str, Any], folder: Path) -> Report:
    """The layers of an HLS project in floating point and the kernels they run on."""
    rows = tuple((layer["layer"], layer["kernel"], count(layer["calls"]), count(layer["macs"]))
                 for layer in manifest["layers"])
    configuration = manifest["configuration"]
    lines = ("", (f"kernels/       {len(manifest['kernels'])} in {manifest['precision']}, m={configuration['m']}, "
                  f"pc={configuration['pc']}, pk={configuration['pk']}"),
             "Makefile       make csim runs them with g++ alone and prints their errors against float64",
             f"run_hls.tcl    for Vitis HLS, {manifest['part']} at {manifest['clock_mhz']:g} MHz; nobody has run it",
             "manifest.json  configuration, layers, tools")
    return Report(
        command="generate-floating", title=f"{manifest['network']} written to {folder} in {manifest['precision']}",
        data={"folder": str(folder), "manifest": dict(manifest)},
        tables=(Table(columns=(Column(title="layer"), Column(title="kernel"), Column(title="calls", number=True),
                               Column(title="MACs", number=True)), rows=rows),),
        lines=lines)
