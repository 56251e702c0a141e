"""`cortado workload` and `cortado bench workloads`: what methods there are, what runs found, what was published."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from cortado.report.report import Column, Report, Table
from cortado.workloads.bench import Measured
from cortado.workloads.result import Result
from cortado.workloads.settings import settings_data
from cortado.workloads.workload import workloads


def list_report() -> Report:
    """Every workload with its paper, datasets and settings."""
    entries = [_entry(name) for name in workloads]
    rows = tuple((entry["name"], entry["title"], ", ".join(entry["datasets"]),
                  ", ".join(f"{key}={_words(value)}" for key, value in entry["settings"].items()))
                 for entry in entries)
    return Report(
        command="workload list", title="workloads", data={"workloads": entries},
        tables=(Table(columns=(Column(title="name"), Column(title="method", wraps=True), Column(title="datasets"),
                               Column(title="settings", wraps=True)), rows=rows),),
        lines=("", "cortado workload run NAME trains and evaluates one; settings are those of its first dataset"))


def run_report(result: Result, folder: Path) -> Report:
    """What a run found."""
    rows = tuple((split, metric, figure(value)) for split, metrics in result.metrics.items()
                 for metric, value in metrics.items())
    lines = ["", f"record    {folder / 'result.json'}", *(f"picture   {folder / name}" for name in result.pictures),
             f"wall time {result.seconds:.2f} s{', resumed' if result.resumed else ''}"]
    return Report(
        command="workload run", title=f"{result.workload} on {result.dataset}, seed {result.seed}",
        data={**result.data_fields(), "folder": str(folder)},
        tables=(Table(columns=(Column(title="split"), Column(title="figure"), Column(title="value", number=True)),
                      rows=rows),), lines=tuple(lines))


def table_report(name: str, results: tuple[Result, ...]) -> Report:
    """Results beside the published figures. A figure nobody published stands alone, one nobody measured too."""
    published = {(entry.dataset, entry.split, entry.metric): entry for entry in workloads[name].published}
    entries: list[dict[str, Any]] = []
    for result in results:
        for split, metrics in result.metrics.items():
            for metric, value in metrics.items():
                known = published.get((result.dataset, split, metric))
                entry = {
                    "dataset": result.dataset, "split": split, "metric": metric, "value": value, "seed": result.seed,
                    "published": known and known.value, "difference": known and value - known.value,
                    "source": known and known.source}
                # What runs with other settings find alike is said once.
                if entry not in entries:
                    entries.append(entry)
    measured = {(entry["dataset"], entry["split"], entry["metric"]) for entry in entries}
    entries += [{"dataset": entry.dataset, "split": entry.split, "metric": entry.metric, "value": None, "seed": None,
                 "published": entry.value, "difference": None, "source": entry.source}
                for key, entry in published.items() if key not in measured]
    order = list(workloads[name].datasets)
    entries.sort(key=lambda entry: order.index(entry["dataset"]))
    rows = tuple((entry["dataset"], entry["split"], entry["metric"], *(
        "" if entry[key] is None else figure(entry[key]) for key in ("value", "published", "difference")),
        entry["source"] or "") for entry in entries)
    return Report(
        command="workload table", title=f"{name}: {workloads[name].title}",
        data={"workload": name, "rows": entries},
        tables=(Table(columns=(Column(title="dataset"), Column(title="split"), Column(title="figure"),
                               Column(title="here", number=True), Column(title="published", number=True),
                               Column(title="difference", number=True), Column(title="from", wraps=True)),
                      rows=rows),))


def bench_report(measured: tuple[Measured, ...]) -> Report:
    """Bars beside what was measured."""
    rows, entries = [], []
    for bench in measured:
        for verdict in bench.verdicts:
            bar = verdict.bar
            rows.append((bench.name, bench.bench.dataset, bar.split, bar.metric,
                         "" if verdict.measured is None else figure(verdict.measured), str(bar),
                         "met" if verdict.met else "missed"))
            entries.append({"workload": bench.name, "dataset": bench.bench.dataset, "split": bar.split,
                            "metric": bar.metric, "measured": verdict.measured,
                            "least": _bound(bar.least), "most": _bound(bar.most), "met": verdict.met})
    return Report(
        command="bench workloads", title="workloads against their bars",
        data={"bars": entries, "seconds": sum(bench.result.seconds for bench in measured)},
        tables=(Table(columns=(Column(title="workload"), Column(title="dataset"), Column(title="split"),
                               Column(title="figure"), Column(title="measured", number=True), Column(title="bar"),
                               Column(title="")), rows=tuple(rows)),))


def figure(value: float) -> str:
    """A number with the digits that say something."""
    return f"{value:.4g}"


def _bound(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _entry(name: str) -> dict[str, Any]:
    workload = workloads[name]()
    return {"name": name, "title": workload.title, "paper": workload.paper, "datasets": dict(workload.datasets),
            "settings": settings_data(workload.settings(next(iter(workload.datasets))))}


def _words(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else "none" if value is None else str(value).lower()
