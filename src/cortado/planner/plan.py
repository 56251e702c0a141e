"""The cut: which layer runs where, in which formats, at what cost, and why not elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from cortado.engines.engine import Engine
from cortado.engines.estimate import Estimate
from cortado.engines.map_layer import MapOperation
from cortado.gateware.mapping import NOTHING_STAYS, Staying
from cortado.gateware.mapping import Mapping as EngineMapping
from cortado.graph.shape import TensorShape
from cortado.graph.spec import NetSpec
from cortado.numerics.convolution import IntegerConvolution
from cortado.numerics.fixed_point import FixedPoint
from cortado.planner.join import Join
from cortado.planner.quantisation import LayerFormat


class Target(Enum):
    """Who runs a layer."""

    HOST = "host"
    FPGA = "FPGA"
    MEMORY = "memory"
    """Nobody: what it would do is done by where others write."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One layer of the cut."""

    layer: str
    type: str
    fused: tuple[str, ...]
    """Types of the layers folded into it."""
    bottoms: tuple[TensorShape, ...]
    tops: tuple[TensorShape, ...]
    macs: int
    target: Target
    wanted: bool
    """Whether it was to be on the FPGA if an engine takes it."""
    reason: str
    """Why it is where it is."""
    engine: str | None = None
    runs_on: Engine | None = field(default=None, repr=False)
    """The engine, with its configuration."""
    estimate: Estimate | None = None
    mapping: EngineMapping | None = None
    """How the engine runs it."""
    staying: Staying = NOTHING_STAYS
    """Which of its maps can stay on the device."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Placements of all layers, in the order they run, and the engine of those on the FPGA.

    With `other_engines` each layer has the one that takes the fewest estimated cycles; the device is programmed anew
    where the next layer has another.
    """

    net: NetSpec
    engine: Engine
    placements: tuple[Placement, ...]
    other_engines: tuple[Engine, ...] = ()
    joins: Mapping[str, Join] = field(default_factory=dict)
    """Concats by address, by name."""

    @property
    def activations(self) -> FixedPoint:
        """What blobs become on their way to the FPGA."""
        return FixedPoint(width=self.engine.data_bits)

    def engine_of(self, layer: str) -> Engine:
        """The engine of a layer on the FPGA."""
        return self.placement(layer).runs_on or self.engine

    def join_of(self, layer: str) -> Join | None:
        """The Concat by address that takes the results of a layer, if there is one."""
        return next((join for join in self.joins.values() if layer in join.first_blocks), None)

    @property
    def fpga_layers(self) -> tuple[str, ...]:
        """Names of the layers on the FPGA."""
        return tuple(place.layer for place in self.placements if place.target is Target.FPGA)

    def placement(self, layer: str) -> Placement:
        """The placement of that layer; `LookupError` names the known ones."""
        self.net.layer(layer)
        return next(place for place in self.placements if place.layer == layer)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A cut with formats: everything a run needs."""

    cut: Cut
    scales: Mapping[str, float]
    """Of each blob."""
    calibration: str
    """How the ranges were found."""
    formats: Mapping[str, LayerFormat]
    convolutions: Mapping[str, IntegerConvolution] = field(repr=False)
    """By FPGA layer."""
    map_operations: Mapping[str, MapOperation] = field(default_factory=dict)
    """Poolings and additions, by FPGA layer."""
