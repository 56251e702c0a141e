"""What was measured of one layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cortado.bench.layer import BenchLayer
from cortado.bench.roofline import Roofline
from cortado.simulation.counters import Counters


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One layer run once on a simulated engine and compared with golden."""

    counters: Counters
    estimated_cycles: int
    seconds: float
    """Wall time of the run: packing, simulating, unpacking."""
    cpu_seconds: float
    """Processor time of the same: what the wall time would be on a machine with nothing else to do."""
    golden_seconds: float
    """Wall time of the comparison, which is no part of `seconds`."""
    different: int
    """Numbers of the result that differ from golden's."""

    def to_data(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Measurement:
        """From what `to_data` gave; `TypeError` and `KeyError` for anything else."""
        return cls(**{**data, "counters": Counters(**data["counters"])})


@dataclass(frozen=True, kw_only=True)
class MeasuredLayer:
    """A layer with its ceilings and what was measured; the layer was `kept` if an earlier bench ran it."""

    layer: BenchLayer
    roofline: Roofline
    measurement: Measurement
    kept: bool = False

    @property
    def macs_per_multiplier_cycle(self) -> float:
        """MACs each multiplier was worth in a cycle."""
        return self.roofline.geometry.macs / (self.roofline.multipliers * self.measurement.counters.cycles)

    @property
    def share_of_roofline(self) -> float:
        """Cycles of the roofline over those measured; 1 is the most there can be."""
        return self.roofline.cycles / self.measurement.counters.cycles


@dataclass(frozen=True, kw_only=True)
class Total:
    """Several layers on one engine together."""

    layers: tuple[MeasuredLayer, ...]

    @property
    def counters(self) -> Counters:
        """Cycles of all."""
        return sum((layer.measurement.counters for layer in self.layers), Counters())

    @property
    def macs(self) -> int:
        """Of the direct computations."""
        return sum(layer.roofline.geometry.macs for layer in self.layers)

    @property
    def multipliers(self) -> int:
        """Of the engine."""
        return self.layers[0].roofline.multipliers

    @property
    def macs_per_multiplier_cycle(self) -> float:
        """MACs each multiplier was worth in a cycle."""
        return self.macs / (self.multipliers * self.counters.cycles)

    @property
    def share_of_roofline(self) -> float:
        """Cycles of the rooflines over those measured."""
        return sum(layer.roofline.cycles for layer in self.layers) / self.counters.cycles

    @property
    def estimated_cycles(self) -> int:
        """Before they ran."""
        return sum(layer.measurement.estimated_cycles for layer in self.layers)

    @property
    def seconds(self) -> float:
        """Wall time of the runs."""
        return sum(layer.measurement.seconds for layer in self.layers)

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the runs."""
        return sum(layer.measurement.cpu_seconds for layer in self.layers)

    @property
    def cycles_per_second(self) -> float:
        """Simulated cycles for each second of processor time, which other programs do not change much."""
        return self.counters.cycles / self.cpu_seconds

    @property
    def equal(self) -> bool:
        """Whether every result is golden's to the bit."""
        return not any(layer.measurement.different for layer in self.layers)

    def gops(self, clock_mhz: float) -> float:
        """Operations (two for each MAC of the direct computation) in a nanosecond at that clock."""
        return 2 * self.macs * clock_mhz / self.counters.cycles / 1e3
