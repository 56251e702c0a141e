"""What a run measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cortado.planner.plan import Placement, Plan
from cortado.simulation.counters import Counters


@dataclass(frozen=True, kw_only=True)
class LayerRun:
    """One layer on the whole batch."""

    placement: Placement
    seconds: float
    counters: Counters | None = None
    """Of an FPGA layer on a device with a clock."""
    equal_to_golden: bool | None = None
    """To the bit; None for a host layer or when it was not compared."""
    bytes_moved: int = 0
    """To and from the device."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A plan run on a batch."""

    plan: Plan
    device: str
    memory_model: str | None
    batch: int
    layers: tuple[LayerRun, ...]
    values: Mapping[str, np.ndarray] = field(repr=False)
    """The last value of every blob, float32."""
    seconds: float

    @property
    def counters(self) -> Counters | None:
        """Of all FPGA layers together; None without a clock."""
        measured = [layer.counters for layer in self.layers if layer.counters is not None]
        return sum(measured[1:], measured[0]) if measured else None

    @property
    def compared_layers(self) -> int:
        """FPGA layers compared with golden."""
        return sum(layer.equal_to_golden is not None for layer in self.layers)

    @property
    def equal_layers(self) -> int:
        """FPGA layers equal to golden to the bit."""
        return sum(layer.equal_to_golden is True for layer in self.layers)
