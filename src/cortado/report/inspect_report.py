"""`cortado inspect`: the cut, layer by layer."""

from __future__ import annotations

from dataclasses import asdict

from cortado.planner.plan import Cut, Placement, Target
from cortado.report.figures import count, estimate_data, shapes
from cortado.report.mapping_table import mapping_data, mapping_table
from cortado.report.report import Column, Report, Table


def type_words(place: Placement) -> str:
    """The type of a layer with what is fused into it: Convolution+ReLU."""
    return "+".join((place.type, *place.fused))


def placement_data(place: Placement) -> dict[str, object]:
    """A placement for JSON."""
    return {
        "layer": place.layer,
        "type": place.type,
        "fused": list(place.fused),
        "bottoms": [list(shape.dims) for shape in place.bottoms],
        "tops": [list(shape.dims) for shape in place.tops],
        "macs": place.macs,
        "target": place.target.value.lower(),
        "engine": place.engine,
        "wanted_on_fpga": place.wanted,
        "reason": place.reason,
        "estimate": estimate_data(place.estimate),
    }


def engine_data(cut: Cut) -> dict[str, object]:
    """The engine of a cut for JSON."""
    design = cut.engine.design()
    return {"name": cut.engine.name, "multipliers": cut.engine.multipliers,
            "configuration": asdict(design.configuration), "configuration_hash": design.configuration_hash}


def _engine_words(cut: Cut, place: Placement) -> str:
    """The engine of a placement; where there are several, which of them."""
    if place.runs_on is None or not cut.other_engines:
        return place.engine or ""
    return f"{place.engine} {(cut.engine, *cut.other_engines).index(place.runs_on) + 1}"


def inspect_report(cut: Cut, *, with_mapping: bool = False) -> Report:
    """Layer, type, shapes, MACs, host or FPGA, and why not; with `with_mapping`, how the engine runs each FPGA layer.
    """
    rows = tuple(
        (place.layer, type_words(place), f"{shapes(place.bottoms)} -> {shapes(place.tops)}", count(place.macs),
         place.target.value, _engine_words(cut, place),
         "" if place.target is Target.FPGA else place.reason)
        for place in cut.placements)
    fpga = [place for place in cut.placements if place.target is Target.FPGA]
    fallen = [place for place in cut.placements if place.wanted and place.target is Target.HOST]
    total, moved = sum(place.macs for place in cut.placements), sum(place.macs for place in fpga)
    engine = cut.engine.design()
    lines = [
        "",
        (f"{len(fpga)} of {len(cut.placements)} layers on the FPGA with {100 * moved / max(total, 1):.1f} % of "
         f"{count(total)} MACs, {count(sum(place.estimate.cycles for place in fpga))} cycles estimated"),
        (f"engine {cut.engine.name}: {engine.configuration} ({cut.engine.multipliers} multipliers, "
         f"configuration {engine.configuration_hash})"),
        *(f"engine {other.name} {number}: {other.design().configuration} ({other.multipliers} multipliers)"
          for number, other in enumerate(cut.other_engines, 2)),
    ]
    if fallen:
        lines.append(f"{len(fallen)} wanted on the FPGA fell to the host: "
                     f"{', '.join(place.layer for place in fallen)} (--strict makes this an error)")
    if not fpga:
        lines.append("no layer runs on the FPGA")
    return Report(
        command="inspect", title=f"{cut.net.name}: {len(cut.placements)} layers",
        data={"network": cut.net.name, "engine": engine_data(cut),
              "layers": [placement_data(place) for place in cut.placements],
              "mappings": {place.layer: mapping_data(place.mapping) for place in fpga if place.mapping is not None}
              if with_mapping else None},
        tables=(Table(columns=(Column(title="layer"), Column(title="type"), Column(title="shapes"),
                               Column(title="MACs", number=True), Column(title="where"), Column(title="engine"),
                               Column(title="why not the FPGA", wraps=True)), rows=rows),
                *((mapping_table(cut),) if with_mapping and any(place.mapping for place in fpga) else ())),
        lines=tuple(lines))
