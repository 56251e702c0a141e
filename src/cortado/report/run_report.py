"""`cortado run`: what each layer took, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from cortado.executor.run import LayerRun, Run
from cortado.executor.traffic import Traffic
from cortado.planner.plan import Target
from cortado.report.figures import count, counters_data, idle, percent, shapes
from cortado.report.inspect_report import engine_data, placement_data, type_words
from cortado.report.report import Column, Report, Table

# Most pictures that are listed one by one.
LISTED_PICTURES = 20


@dataclass(frozen=True, kw_only=True)
class Classification:
    """What a classifier said of a batch."""

    names: tuple[str, ...]
    """Of the pictures."""
    classes: tuple[str, ...]
    """Words for the classes; empty where there are none."""
    reference: np.ndarray = field(repr=False)
    """Scores in float, (N, classes)."""
    mixed: np.ndarray = field(repr=False)
    """Scores of the mixed pipeline, (N, classes)."""
    labels: np.ndarray | None = field(default=None, repr=False)
    """The right classes, (N,), where they are known."""

    def accuracy(self, scores: np.ndarray) -> float:
        """Share of pictures whose best score is the right class."""
        return float((scores.argmax(1) == self.labels).mean())

    def word(self, index: int) -> str:
        """The words for a class."""
        return self.classes[index] if index < len(self.classes) else str(index)


def run_report(run: Run, classification: Classification, *, clock_mhz: float, program_ms: float,
               notes: Mapping[str, str]) -> Report:
    """The table by layer, accuracy, agreement, cycles, copies, simulated and wall time."""
    total = run.counters
    lines = ["", *(f"{topic:<12}{words}" for topic, words in notes.items()), *_result_lines(run, classification)]
    if total is not None:
        macs = sum(layer.placement.macs for layer in run.layers if layer.counters is not None)
        multiplier_cycles = sum(layer.counters.cycles * layer.placement.runs_on.multipliers
                                for layer in run.layers if layer.counters is not None)
        engines = {run.plan.cut.engine_of(name).multipliers for name in run.plan.cut.fpga_layers}
        lines.append(
            f"cycles      {count(total.cycles)} for {run.batch} pictures, {macs / multiplier_cycles:.2f} "
            f"MACs per multiplier and cycle on {' and '.join(map(str, sorted(engines)))} multipliers; "
            f"{idle(total)} idle")
        lines.append(f"simulated   {total.cycles / clock_mhz / 1e3:.3f} ms at an assumed clock of {clock_mhz:g} MHz; "
                     f"memory: {run.memory_model}")
    if run.plan.cut.fpga_layers:
        lines.append(f"copies      {_traffic_words(run.traffic)}")
    if run.programmings > 1:
        lines.append(f"programmed  {run.programmings} times, {run.programmings * program_ms:g} ms at an assumed "
                     f"{program_ms:g} ms each, not in the simulated time")
    lines.append(f"wall time   {run.seconds:.2f} s on device {run.device}{_overlap_words(run)}")
    return Report(
        command="run", title=f"{run.plan.cut.net.name} on host and {run.device}, {run.batch} pictures",
        data={**_data(run, classification, clock_mhz, notes), "program_ms": program_ms},
        tables=(_table(run), *_format_tables(run)), lines=tuple(lines))


def _table(run: Run) -> Table:
    rows = []
    for layer in run.layers:
        place, counters = layer.placement, layer.counters
        rows.append((
            place.layer, type_words(place), place.target.value, place.reason, shapes(place.tops), count(place.macs),
            count(counters.cycles) if counters else "", _estimate_words(layer),
            f"{place.macs / (counters.cycles * place.runs_on.multipliers):.2f}" if counters else "",
            idle(counters) if counters else "",
            {True: "equal", False: "DIFFERS", None: ""}[layer.equal_to_golden]))
    return Table(columns=(
        Column(title="layer"), Column(title="type"), Column(title="where"), Column(title="why", wraps=True),
        Column(title="shape"), Column(title="MACs", number=True), Column(title="cycles", number=True),
        Column(title="estimate", number=True), Column(title="MAC/mult/cyc", number=True),
        Column(title="idle: causes", wraps=True), Column(title="golden")), rows=tuple(rows))


def _traffic_words(traffic: Traffic) -> str:
    """Bytes each way, and what was spared."""
    words = (f"{count(traffic.to_device_bytes)} bytes to the device, {count(traffic.from_device_bytes)} back, in "
             f"{traffic.copies} copies; {traffic.spared_copies} copies of {count(traffic.spared_bytes)} bytes spared")
    return words + (f"; {count(traffic.checked_bytes)} more for golden" if traffic.checked_bytes else "")


def _overlap_words(run: Run) -> str:
    """How much of the time host and device had in common."""
    if run.parts == 1:
        return ""
    return (f", {run.parts} parts, {run.in_flight} in flight: host layers {run.host_seconds:.2f} s, device "
            f"{run.device_seconds:.2f} s")


def _format_tables(run: Run) -> tuple[Table, ...]:
    """The number formats of the FPGA layers; no table where there are none."""
    rows = tuple((name, *layer_format.words) for name, layer_format in run.plan.formats.items())
    columns = tuple(Column(title=title) for title in ("FPGA layer", "input", "weights", "output", "activation"))
    return (Table(columns=columns, rows=rows),) if rows else ()


def _estimate_words(layer: LayerRun) -> str:
    """The estimate's distance from what was measured."""
    if layer.counters is None:
        return ""
    return f"{100 * (layer.estimated_cycles / layer.counters.cycles - 1):+.0f} %"


def _result_lines(run: Run, classification: Classification) -> list[str]:
    lines = []
    best, float_best = classification.mixed.argmax(1), classification.reference.argmax(1)
    if classification.labels is not None:
        lines.append(f"accuracy    {percent(classification.accuracy(classification.reference))} in float, "
                     f"{percent(classification.accuracy(classification.mixed))} on host and {run.device}")
    else:
        for index, name in enumerate(classification.names[:LISTED_PICTURES]):
            number = f"class {best[index]}, " if classification.classes else ""
            lines.append(f"{name}: {classification.word(int(best[index]))} ({number}score "
                         f"{classification.mixed[index, best[index]]:.3f}; float says "
                         f"{classification.word(int(float_best[index]))})")
        if len(classification.names) > LISTED_PICTURES:
            lines.append(f"... and {len(classification.names) - LISTED_PICTURES} more (--json lists all)")
    lines.append(f"same class  {count(int((best == float_best).sum()))} of {run.batch} pictures as in float")
    if run.compared_layers:
        left = len(run.plan.cut.fpga_layers) - run.compared_layers
        lines.append(f"golden      {run.equal_layers} of {run.compared_layers} FPGA layers equal to the bit"
                     + (f", {left} not compared" if left else ""))
    if not run.plan.cut.fpga_layers:
        lines.append("golden      no layer runs on the FPGA: nothing was simulated")
    if run.plan.formats:
        lines.append(f"formats     by {run.plan.calibration}")
    clipped = sum(layer_format.clipped_biases for layer_format in run.plan.formats.values())
    if clipped:
        lines.append(f"warning: {clipped} biases do not fit 32 bits and were clipped")
    return lines


def _data(run: Run, classification: Classification, clock_mhz: float, notes: Mapping[str, str]) -> Mapping[str, object]:
    total = run.counters
    labelled = classification.labels is not None
    return {
        "network": run.plan.cut.net.name,
        "device": run.device,
        "memory": run.memory_model,
        "engine": engine_data(run.plan.cut),
        "batch": run.batch,
        "notes": dict(notes),
        "calibration": run.plan.calibration,
        "formats": {name: asdict(layer_format) for name, layer_format in run.plan.formats.items()},
        "layers": [{
            **placement_data(layer.placement),
            "seconds": layer.seconds,
            "counters": counters_data(layer.counters),
            "macs_per_multiplier_cycle": (
                layer.placement.macs / (layer.counters.cycles * layer.placement.runs_on.multipliers)
                if layer.counters else None),
            "equal_to_golden": layer.equal_to_golden,
            "device_seconds": layer.device_seconds,
            "traffic": asdict(layer.traffic),
        } for layer in run.layers],
        "counters": counters_data(total),
        "clock_mhz": clock_mhz,
        "simulated_seconds": total.cycles / clock_mhz / 1e6 if total else None,
        "wall_seconds": run.seconds,
        "host_seconds": run.host_seconds,
        "device_seconds": run.device_seconds,
        "parts": run.parts,
        "in_flight": run.in_flight,
        "programmings": run.programmings,
        "traffic": asdict(run.traffic),
        "accuracy": {"reference": classification.accuracy(classification.reference),
                     "mixed": classification.accuracy(classification.mixed)} if labelled else None,
        "golden": {"compared": run.compared_layers, "equal": run.equal_layers,
                   "fpga_layers": sum(layer.placement.target is Target.FPGA for layer in run.layers)},
        "pictures": [{
            "name": name,
            "class": int(classification.mixed[index].argmax()),
            "class_words": classification.word(int(classification.mixed[index].argmax())),
            "reference_class": int(classification.reference[index].argmax()),
            "label": int(classification.labels[index]) if labelled else None,
        } for index, name in enumerate(classification.names)],
    }
