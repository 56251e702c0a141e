"""`cortado bench-new`: what was written."""

from __future__ import annotations

from pathlib import Path

from cortado.report.report import Column, Report, Table
from cortado.simulation.new_bench import NewBench


def bench_new_report(bench: NewBench, path: Path) -> Report:
    """The ports a new bench drives and watches."""
    streams = bench.streams
    ports = [{"name": port.name, "direction": "input" if port.is_input else "output",
              "kind": "stream" if name in streams else "port", "payload": port.shape}
             for name, port in bench.ports.items()]
    name = f"{bench.component.__module__}:{bench.component.__name__}"
    return Report(
        command="bench-new", title=f"bench of {bench.component.__name__} written to {path}",
        data={"component": name, "file": str(path), "ports": ports},
        tables=(Table(columns=(Column(title="port"), Column(title="direction"), Column(title="kind"),
                               Column(title="payload")),
                      rows=tuple((port["name"], port["direction"], port["kind"], port["payload"]) for port in ports)),),
        lines=("", f"run it       python {path}", "then write   the model in it: what the circuit must answer"))
