"""A figure to reach, and how far a measurement is from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from cortado.bench.measurement import MeasuredLayer, Total

# What a bar can ask about: the figure of some layers at an assumed clock in MHz, and how it is written.
FIGURES: dict[str, tuple[Callable[[Total, float], float], str]] = {
    "MACs per multiplier and cycle": (lambda total, clock_mhz: total.macs_per_multiplier_cycle, "{:.3f}"),
    "share of the roofline": (lambda total, clock_mhz: total.share_of_roofline, "{:.3f}"),
    "GOPS": (lambda total, clock_mhz: total.gops(clock_mhz), "{:.0f}"),
    "simulated cycles per CPU second": (lambda total, clock_mhz: total.cycles_per_second, "{:,.0f}"),
    "wall seconds": (lambda total, clock_mhz: total.seconds, "{:.1f}"),
}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which layers something concerns; sizes are of the output's shorter edge."""

    network: str | None = None
    kind: str = "all"
    least_channels: int = 1
    least_filters: int = 1
    least_edge: int = 1
    largest_edge: int | None = None

    def takes(self, layer: MeasuredLayer) -> bool:
        """Whether the layer is one of them."""
        geometry = layer.roofline.geometry
        edge = min(geometry.out_size)
        return (self.network in (None, layer.layer.network) and self.kind in ("all", layer.layer.kind)
                and geometry.channels >= self.least_channels and geometry.filters >= self.least_filters
                and edge >= self.least_edge and (self.largest_edge is None or edge <= self.largest_edge))


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bound on a figure of each layer, or of each network's layers together, on one engine."""

    figure: str
    bound: float
    selection: Selection = Selection()
    each_layer: bool = False
    at_most: bool = False
    origin: str = ""
    """Whose figure the bound is, where it is not a goal of ours."""

    def judge(self, layers: Iterable[MeasuredLayer], clock_mhz: float) -> list[Verdict]:
        """A verdict for each network at each batch; where each layer counts, on the layer farthest from the bound."""
        chosen = [layer for layer in layers if self.selection.takes(layer)]
        return [self._judge_network(network, list(group), clock_mhz) for (network, _), group in groupby(
            chosen, key=lambda layer: (layer.layer.network, layer.roofline.geometry.batch))]

    def text(self, value: float) -> str:
        """A value of the figure as it is written."""
        return FIGURES[self.figure][1].format(value)

    def _judge_network(self, network: str, layers: list[MeasuredLayer], clock_mhz: float) -> Verdict:
        measure = FIGURES[self.figure][0]
        parts = [Total(layers=(layer,)) for layer in layers] if self.each_layer else [Total(layers=tuple(layers))]
        values = [measure(part, clock_mhz) for part in parts]
        worst = (max if self.at_most else min)(range(len(values)), key=values.__getitem__)
        first = layers[0].roofline
        return Verdict(
            bar=self, network=network, layer=layers[worst].layer.name if self.each_layer else None,
            batch=first.geometry.batch, beat_bits=8 * first.beat_bytes, multipliers=first.multipliers,
            measured=values[worst], count=len(values), met_count=sum(self._meets(value) for value in values))

    def _meets(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A bar beside what was measured."""

    bar: Bar
    network: str
    layer: str | None
    """The one farthest from the bound; None for all together."""
    batch: int
    beat_bits: int
    multipliers: int
    measured: float
    count: int
    """Figures that were held against the bound."""
    met_count: int
    """Of these, within it."""

    @property
    def met(self) -> bool:
        """Whether all are within the bound."""
        return self.met_count == self.count
