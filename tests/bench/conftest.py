"""Measurements without a simulator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cortado.bench.layer import layers_of
from cortado.bench.measurement import MeasuredLayer, Measurement
from cortado.bench.roofline import Roofline
from cortado.simulation.counters import Counters


@pytest.fixture
def measurement() -> Callable[..., Measurement]:
    def make(cycles: int = 1000, *, seconds: float = 2.0, different: int = 0) -> Measurement:
        return Measurement(counters=Counters(cycles=cycles, busy=cycles - 10, idle_weights=10), different=different,
                           estimated_cycles=cycles // 2, seconds=seconds, cpu_seconds=seconds / 2, golden_seconds=1.0)
    return make


@pytest.fixture
def measured(measurement: Callable[..., Measurement]) -> Callable[..., list[MeasuredLayer]]:
    """The convolutions of a network on F(4x4,3x3) with 576 multipliers, each at a share of its roofline."""

    def make(network: str, share: float = 0.5, **options: object) -> list[MeasuredLayer]:
        layers = []
        for layer in layers_of(network, **{"batch": 1, **options}):
            roofline = Roofline(geometry=layer.geometry, m=4, multipliers=576, beat_bytes=16)
            layers.append(MeasuredLayer(layer=layer, roofline=roofline,
                                        measurement=measurement(round(roofline.cycles / share))))
        return layers
    return make
