"""What a run measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cortado.executor.traffic import NO_TRAFFIC, Traffic
from cortado.planner.plan import Placement, Plan, Target
from cortado.simulation.counters import Counters


@dataclass(frozen=True, kw_only=True)
class LayerRun:
    """One layer on the whole batch, or on a part of it."""

    placement: Placement
    seconds: float
    """From its beginning to its end, copies and the wait for its turn among them."""
    counters: Counters | None = None
    """Of an FPGA layer on a device with a clock."""
    estimated_cycles: int = 0
    """Of its jobs on an FPGA."""
    device_seconds: float = 0.0
    """In which the device ran its jobs."""
    equal_to_golden: bool | None = None
    """To the bit; None for a host layer or when it was not compared."""
    traffic: Traffic = NO_TRAFFIC
    """Copies between host and device."""

    @classmethod
    def joined(cls, parts: Sequence[LayerRun]) -> LayerRun:
        """The same layer on several parts of a batch."""
        counters = [part.counters for part in parts if part.counters is not None]
        compared = [part.equal_to_golden for part in parts if part.equal_to_golden is not None]
        return cls(placement=parts[0].placement, seconds=sum(part.seconds for part in parts),
                   counters=sum(counters[1:], counters[0]) if counters else None,
                   estimated_cycles=sum(part.estimated_cycles for part in parts),
                   device_seconds=sum(part.device_seconds for part in parts),
                   equal_to_golden=all(compared) if compared else None,
                   traffic=sum((part.traffic for part in parts), NO_TRAFFIC))


@dataclass(frozen=True, kw_only=True)
class Run:
    """A plan run on a batch, in so many parts, so many of them side by side."""

    plan: Plan
    device: str
    memory_model: str | None
    batch: int
    parts: int
    in_flight: int
    programmings: int
    """How often the device was really programmed."""
    layers: tuple[LayerRun, ...]
    """In the order of the network."""
    values: Mapping[str, np.ndarray] = field(repr=False)
    """Blobs by name, float32: inputs, outputs, and those that were to be kept."""
    seconds: float

    @property
    def counters(self) -> Counters | None:
        """Of all FPGA layers together; None without a clock."""
        measured = [layer.counters for layer in self.layers if layer.counters is not None]
        return sum(measured[1:], measured[0]) if measured else None

    @property
    def traffic(self) -> Traffic:
        """All copies between host and device."""
        return sum((layer.traffic for layer in self.layers), NO_TRAFFIC)

    @property
    def device_seconds(self) -> float:
        """In which the device ran jobs."""
        return sum(layer.device_seconds for layer in self.layers)

    @property
    def host_seconds(self) -> float:
        """Of the host layers."""
        return sum(layer.seconds for layer in self.layers if layer.placement.target is Target.HOST)

    @property
    def compared_layers(self) -> int:
        """FPGA layers compared with golden."""
        return sum(layer.equal_to_golden is not None for layer in self.layers)

    @property
    def equal_layers(self) -> int:
        """FPGA layers equal to golden to the bit."""
        return sum(layer.equal_to_golden is True for layer in self.layers)
