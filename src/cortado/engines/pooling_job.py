"""A pooling of one batch, ready for a device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cortado.engines.estimate import Estimate
from cortado.gateware.map_descriptor import MapDescriptor
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.pooling_mapping import PoolingMapping


@dataclass(frozen=True, kw_only=True)
class PoolingJob:
    """A pooling with its place in memory left open; it has no weights."""

    layer: str
    mapping: PoolingMapping

    @property
    def configuration_hash(self) -> str:
        """Of the engine this job was made for."""
        return self.mapping.configuration.hash

    @property
    def source(self) -> MapLayout:
        """How the input lies in memory."""
        return self.mapping.source

    @property
    def target(self) -> MapLayout:
        """How the output lies in memory."""
        return self.mapping.target

    @property
    def source_bytes(self) -> int:
        """Size of the input."""
        return self.source.size_bytes

    @property
    def weights_bytes(self) -> int:
        """None are read."""
        return 0

    @property
    def target_bytes(self) -> int:
        """Size of the output."""
        return self.target.size_bytes

    @property
    def descriptor_count(self) -> int:
        """Descriptors of the whole batch."""
        return len(self.descriptors(input_address=0, weights_address=0, output_address=0))

    @property
    def estimate(self) -> Estimate:
        """What the job will cost; the multipliers have no part in it."""
        return Estimate(cycles=self.mapping.cycles, macs=0, multipliers=self.mapping.configuration.multipliers)

    def descriptors(self, *, input_address: int, weights_address: int, output_address: int) -> list[MapDescriptor]:
        """The descriptors in order, with the maps at the given byte addresses."""
        return list(self.mapping.descriptors(first_address=input_address, output_address=output_address))

    def golden(self, maps: np.ndarray) -> np.ndarray:
        """The pooled maps of int8 (N, C, H, W)."""
        return self.mapping.pooling.golden(maps)

    def write_result(self, source: np.ndarray, weights: np.ndarray, target: np.ndarray) -> None:
        """Write the packed output for the packed input into `target`, uint8."""
        self.target.put(self.golden(self.source.unpack(source)), target)
