"""How each FPGA layer runs on its engine, and what else was weighed."""

from __future__ import annotations

from cortado.gateware.mapping import Mapping
from cortado.planner.plan import Cut
from cortado.report.figures import count
from cortado.report.report import Column, Table


def mapping_data(mapping: Mapping) -> dict[str, object]:
    """A mapping for JSON."""
    blocking = mapping.blocking
    return {
        "method": mapping.method,
        "kernel": list(mapping.shape.kernel),
        "stride": list(mapping.shape.stride),
        "dilation": list(mapping.shape.dilation),
        "group": mapping.shape.group,
        "arrangement": str(mapping.arrangement),
        "pieces": mapping.pieces,
        "stride_phases": stride_phases(mapping),
        "bundles": len(blocking.bundles),
        "blocks": blocking.shape.batch * len(blocking.tile_spans),
        "block_tiles": [blocking.rows, blocking.columns],
        "channel_passes": channel_passes(mapping),
        "passes": blocking.pass_count,
        "cycles": mapping.cycles,
        "macs_per_multiplier_cycle": macs_per_multiplier_cycle(mapping),
        "alternatives": [{"mapping": other.words, "cycles": other.cycles, "copied_bytes": other.copied_bytes}
                         for other in mapping.alternatives],
    }


def mapping_table(cut: Cut) -> Table:
    """One row for each FPGA layer, in the order they run."""
    rows = tuple(
        (place.layer, _layer_words(place.mapping), place.mapping.method,
         str(place.mapping.pieces) if place.mapping.method == "winograd" else "-", str(stride_phases(place.mapping)),
         str(place.mapping.arrangement), _block_words(place.mapping), str(channel_passes(place.mapping)),
         count(place.mapping.blocking.pass_count), count(place.mapping.cycles),
         f"{macs_per_multiplier_cycle(place.mapping):.2f}", _alternative_words(place.mapping))
        for place in cut.placements if place.mapping is not None)
    return Table(columns=(
        Column(title="FPGA layer"), Column(title="convolution"), Column(title="method"),
        Column(title="3x3 pieces", number=True), Column(title="phases", number=True), Column(title="arrangement"),
        Column(title="blocks"), Column(title="channel passes", number=True), Column(title="passes", number=True),
        Column(title="cycles", number=True), Column(title="MAC/mult/cyc", number=True),
        Column(title="instead of", wraps=True)), rows=rows)


def stride_phases(mapping: Mapping) -> int:
    """Phases of the map, as the engine meets it, on which the kernel's pieces lie; 1 without a stride."""
    return len({(view.row.offset % view.row.step, view.column.offset % view.column.step)
                for view in mapping.blocking.views})


def channel_passes(mapping: Mapping) -> int:
    """Times the planes in the block buffer are exchanged before a sum is complete."""
    blocking = mapping.blocking
    return max(-(-blocking.planes(bundle) // blocking.planes_at_once) for bundle in range(len(blocking.bundles)))


def macs_per_multiplier_cycle(mapping: Mapping) -> float:
    """Of the direct convolution, over the estimated cycles."""
    return mapping.shape.macs / (mapping.cycles * mapping.blocking.configuration.multipliers)


def _layer_words(mapping: Mapping) -> str:
    """Kernel, and stride, dilation and groups where there are any: 11x11 /4."""
    shape, bundles = mapping.shape, len(mapping.blocking.bundles)
    words = _by(shape.kernel)
    if shape.stride != (1, 1):
        words += f" /{shape.stride[0] if shape.stride[0] == shape.stride[1] else _by(shape.stride)}"
    if shape.dilation != (1, 1):
        words += f", dilation {_by(shape.dilation)}"
    if shape.group > 1:
        together = "" if bundles == shape.group else f" in {bundles}" if bundles > 1 else " in one"
        words += f", {shape.group} groups{together}"
    return words


def _block_words(mapping: Mapping) -> str:
    """How many, and their tiles: 4 of 7x14."""
    blocking = mapping.blocking
    return f"{count(blocking.shape.batch * len(blocking.tile_spans))} of {blocking.rows}x{blocking.columns}"


def _alternative_words(mapping: Mapping) -> str:
    return "; ".join(
        f"{other.words}: {count(other.cycles)}" + (f" and copies of {count(other.copied_bytes)} bytes"
                                                   if other.copied_bytes else "")
        for other in mapping.alternatives[1:])


def _by(pair: tuple[int, int]) -> str:
    return "x".join(str(value) for value in pair)
