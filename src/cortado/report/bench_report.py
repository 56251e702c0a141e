"""`cortado bench engine`: layers, networks and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

from cortado.bench.bar import Bar, Verdict
from cortado.bench.engine_bench import EngineResult
from cortado.bench.layer import BenchLayer
from cortado.bench.measurement import MeasuredLayer, Total
from cortado.report.figures import count, counters_data, idle
from cortado.report.report import Column, Report, Table


def bench_report(results: Sequence[EngineResult], bars: Sequence[tuple[Bar, ...]], *, title: str,
                 clock_mhz: float) -> Report:
    """Every layer and network beside its ceilings; each engine's results beside the bars of the same place in `bars`.

    GOPS are at `clock_mhz`, which is assumed.
    """
    verdicts = [bar.judge(result.layers, clock_mhz) for result, of_engine in zip(results, bars, strict=True)
                for bar in of_engine]
    judged = [verdict for group in verdicts for verdict in group]
    tables = [_layer_table(results), _network_table(results, clock_mhz)]
    if judged:
        tables.append(_bar_table(judged))
    layers = [layer for result in results for layer in result.layers]
    return Report(
        command="bench engine", title=title,
        data={"title": title, "clock_mhz": clock_mhz,
              "engines": [_engine_data(result, clock_mhz) for result in results],
              "bars": [_verdict_data(verdict) for verdict in judged]},
        tables=tuple(table for table in tables if table.rows),
        lines=("", *_engine_lines(results), *_golden_lines(layers), *_clock_lines(layers, clock_mhz)))


def _networks(result: EngineResult) -> list[tuple[str, Total]]:
    """The layers of each network at each batch together."""
    return [(network, Total(layers=tuple(group))) for (network, _), group in groupby(
        result.layers, key=lambda layer: (layer.layer.network, layer.roofline.geometry.batch))]


def _layer_table(results: Sequence[EngineResult]) -> Table:
    rows = []
    for result in results:
        for layer in result.layers:
            measurement, roofline = layer.measurement, layer.roofline
            rows.append((
                layer.layer.network, layer.layer.name, layer.layer.words, str(roofline.geometry.batch),
                str(8 * roofline.beat_bytes), count(measurement.counters.cycles),
                _off(measurement.estimated_cycles, measurement.counters.cycles), count(roofline.geometry.macs),
                f"{layer.macs_per_multiplier_cycle:.3f}", f"{roofline.peak:.2f}", f"{roofline.with_edges:.2f}",
                f"{roofline.with_memory:.2f}", roofline.bound, f"{100 * layer.share_of_roofline:.1f} %",
                idle(measurement.counters), "DIFFERS" if measurement.different else "equal"))
    numbers = ("batch", "port", "cycles", "estimate", "MACs", "MAC/mult/cyc", "peak", "edges", "roofline")
    return Table(columns=(
        Column(title="network"), Column(title="layer"), Column(title="shape"),
        *(Column(title=title, number=True) for title in numbers), Column(title="bound"),
        Column(title="of roofline", number=True), Column(title="idle: causes", wraps=True), Column(title="golden")),
        rows=tuple(rows))


def _network_table(results: Sequence[EngineResult], clock_mhz: float) -> Table:
    rows = []
    for result in results:
        for network, total in _networks(result):
            first = total.layers[0].roofline
            rows.append((
                network, str(first.geometry.batch), str(8 * first.beat_bytes), count(total.multipliers),
                count(len(total.layers)), count(total.counters.cycles),
                _off(total.estimated_cycles, total.counters.cycles), f"{total.macs_per_multiplier_cycle:.3f}",
                f"{100 * total.share_of_roofline:.1f} %", f"{total.gops(clock_mhz):.0f}",
                f"{total.seconds:.2f}", f"{total.cpu_seconds:.2f}",
                count(round(total.cycles_per_second)), idle(total.counters)))
    numbers = ("batch", "port", "multipliers", "layers", "cycles", "estimate", "MAC/mult/cyc", "of roofline", "GOPS",
               "wall s", "CPU s", "cycles/CPU s")
    return Table(columns=(Column(title="network"), *(Column(title=title, number=True) for title in numbers),
                          Column(title="idle: causes", wraps=True)), rows=tuple(rows))


def _bar_table(verdicts: Sequence[Verdict]) -> Table:
    rows = []
    for verdict in verdicts:
        bar = verdict.bar
        of = f"{verdict.met_count} of {verdict.count} layers" if bar.each_layer else "all layers together"
        rows.append((
            verdict.network, bar.figure + (f", map {_edges(bar)}" if _edges(bar) else ""), of, verdict.layer or "",
            str(verdict.batch), str(verdict.beat_bits), count(verdict.multipliers),
            f"{'<=' if bar.at_most else '>='} {bar.text(bar.bound)}", bar.text(verdict.measured),
            "met" if verdict.met else "MISSED", bar.origin))
    return Table(columns=(
        Column(title="network"), Column(title="figure"), Column(title="within the bar"),
        Column(title="farthest from it"),
        *(Column(title=title, number=True) for title in ("batch", "port", "multipliers", "bar", "measured")),
        Column(title="verdict"), Column(title="bar of", wraps=True)), rows=tuple(rows))


def _edges(bar: Bar) -> str:
    """The maps a bar is for, in words; empty for all."""
    low, high = bar.selection.least_edge, bar.selection.largest_edge
    if high is None:
        return f"{low} and up" if low > 1 else ""
    return str(low) if low == high else f"{low} to {high}"


def _off(estimate: int, measured: int) -> str:
    """The estimate's distance from what was measured."""
    return f"{100 * (estimate / measured - 1):+.1f} %"


def _engine_lines(results: Sequence[EngineResult]) -> list[str]:
    lines = []
    for result in results:
        lines.append(f"engine      {result.design.engine}: {result.design.configuration} ({result.engine.multipliers} "
                     f"multipliers, configuration {result.design.configuration_hash})")
        if result.generation is not None:
            generation = result.generation
            lines.append(f"generated   in {generation.seconds:.1f} s, {generation.cpu_seconds:.1f} s of it on the "
                         f"processor, {count(generation.lines)} lines of Verilog")
        lines.extend(f"not run     {refusal.layer.network} {refusal.layer.name} ({refusal.layer.words}): "
                     f"{refusal.reason}" for refusal in result.refused)
    lines.extend(f"memory      {memory}" for memory in dict.fromkeys(result.memory for result in results))
    return lines


def _golden_lines(layers: Sequence[MeasuredLayer]) -> list[str]:
    if not layers:
        return ["no layer was run"]
    equal, kept = sum(not layer.measurement.different for layer in layers), sum(layer.kept for layer in layers)
    formats = " or ".join(dict.fromkeys(_formats(layer.layer) for layer in layers))
    lines = [f"golden      {equal} of {len(layers)} layers equal to the bit, on {formats}"]
    if kept:
        lines.append(f"kept        {kept} of {len(layers)} layers are from an earlier run")
    return lines


def _formats(layer: BenchLayer) -> str:
    """What the numbers of a layer were drawn from, in words."""
    if layer.data_bits == layer.weight_bits:
        return f"maps and weights over all of int{layer.data_bits}"
    return f"maps over all of int{layer.data_bits} and weights over all of int{layer.weight_bits}"


def _clock_lines(layers: Sequence[MeasuredLayer], clock_mhz: float) -> list[str]:
    if not layers:
        return []
    total = Total(layers=tuple(layers))
    golden_seconds = sum(layer.measurement.golden_seconds for layer in layers)
    cycles = total.counters.cycles
    wall = (f"wall time   {total.seconds:.2f} s for {count(cycles)} cycles, {total.cpu_seconds:.2f} s of it on the "
            f"processor; golden took {golden_seconds:.2f} s more")
    return [wall, f"GOPS        two operations for each MAC of the direct convolution, at an assumed {clock_mhz:g} MHz"]


def _engine_data(result: EngineResult, clock_mhz: float) -> dict[str, object]:
    return {
        "engine": {"name": result.design.engine, "multipliers": result.engine.multipliers,
                   "configuration": asdict(result.design.configuration),
                   "configuration_hash": result.design.configuration_hash},
        "memory": result.memory,
        "generation": asdict(result.generation) if result.generation else None,
        "layers": [_layer_data(layer, clock_mhz) for layer in result.layers],
        "networks": [{"network": network, **_total_data(total, clock_mhz)} for network, total in _networks(result)],
        "refused": [{"network": refusal.layer.network, "layer": refusal.layer.name, "reason": refusal.reason}
                    for refusal in result.refused],
    }


def _layer_data(layer: MeasuredLayer, clock_mhz: float) -> dict[str, object]:
    geometry, roofline = layer.roofline.geometry, layer.roofline
    return {
        "network": layer.layer.network,
        "layer": layer.layer.name,
        "kind": layer.layer.kind,
        "bottom": list(layer.layer.bottom.dims),
        "top": list(layer.layer.top.dims),
        "kernel": list(geometry.kernel),
        "strides": list(geometry.strides),
        "dilations": list(geometry.dilations),
        "pads": list(geometry.pads),
        "group": geometry.group,
        "ceilings": {"peak": roofline.peak, "with_edges": roofline.with_edges, "with_memory": roofline.with_memory},
        "roofline_cycles": {"compute": roofline.compute_cycles, "read": roofline.read_cycles,
                            "write": roofline.write_cycles},
        "bound": roofline.bound,
        "kept": layer.kept,
        "different": layer.measurement.different,
        "golden_seconds": layer.measurement.golden_seconds,
        **_total_data(Total(layers=(layer,)), clock_mhz),
    }


def _total_data(total: Total, clock_mhz: float) -> dict[str, object]:
    first = total.layers[0].roofline
    return {
        "batch": first.geometry.batch,
        "beat_bits": 8 * first.beat_bytes,
        "macs": total.macs,
        "counters": counters_data(total.counters),
        "estimated_cycles": total.estimated_cycles,
        "macs_per_multiplier_cycle": total.macs_per_multiplier_cycle,
        "share_of_roofline": total.share_of_roofline,
        "gops": total.gops(clock_mhz),
        "seconds": total.seconds,
        "cpu_seconds": total.cpu_seconds,
        "cycles_per_second": total.cycles_per_second,
        "equal_to_golden": total.equal,
    }


def _verdict_data(verdict: Verdict) -> dict[str, object]:
    bar = verdict.bar
    return {
        "figure": bar.figure,
        "network": verdict.network,
        "each_layer": bar.each_layer,
        "edges": [bar.selection.least_edge, bar.selection.largest_edge],
        "batch": verdict.batch,
        "beat_bits": verdict.beat_bits,
        "multipliers": verdict.multipliers,
        "bound": bar.bound,
        "at_most": bar.at_most,
        "origin": bar.origin,
        "measured": verdict.measured,
        "layer": verdict.layer,
        "count": verdict.count,
        "met_count": verdict.met_count,
        "met": verdict.met,
    }
