"""The addition of two batches of maps, ready for a device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cortado.engines.estimate import Estimate
from cortado.gateware.blocking import END_CYCLES, START_CYCLES
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.descriptor import Flag
from cortado.gateware.map_descriptor import MapDescriptor, MapFlag
from cortado.gateware.memory_layout import MapLayout
from cortado.numerics.elementwise_add import FACTOR_BITS, IntegerAdd


@dataclass(frozen=True, kw_only=True)
class AddJob:
    """An addition with its place in memory left open; the second operand lies where a convolution has its weights."""

    layer: str
    configuration: WinogradConfiguration
    addition: IntegerAdd
    source: MapLayout
    """How both operands and the sum lie in memory."""

    @property
    def configuration_hash(self) -> str:
        """Of the engine this job was made for."""
        return self.configuration.hash

    @property
    def target(self) -> MapLayout:
        """How the output lies in memory."""
        return self.source

    @property
    def source_bytes(self) -> int:
        """Size of the first operand."""
        return self.source.size_bytes

    @property
    def weights_bytes(self) -> int:
        """Size of the second operand."""
        return self.source.size_bytes

    @property
    def target_bytes(self) -> int:
        """Size of the sum."""
        return self.source.size_bytes

    @property
    def descriptor_count(self) -> int:
        """Always one."""
        return 1

    @property
    def estimate(self) -> Estimate:
        """What the job will cost: two beats read for each that is written; the multipliers have no part in it."""
        beats = self.source_bytes // self.configuration.beat_bytes
        return Estimate(cycles=START_CYCLES + 2 * beats + END_CYCLES, macs=0,
                        multipliers=self.configuration.multipliers)

    def descriptors(self, *, input_address: int, weights_address: int, output_address: int) -> list[MapDescriptor]:
        """The descriptor, with everything at the given byte addresses."""
        beats = self.source_bytes // self.configuration.beat_bytes
        first, second = (multiplier % 2**FACTOR_BITS for multiplier in self.addition.multipliers)
        return [MapDescriptor(
            flags=MapFlag.ADD | (MapFlag.RELU if self.addition.relu else 0) | Flag.LAST,
            first_address=input_address, second_address=weights_address, run_beats=beats,
            output_address=output_address, output_run_beats=beats,
            multipliers=first | second << FACTOR_BITS, shift=self.addition.shift)]

    def golden(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The sum of int8 maps (N, C, H, W)."""
        return self.addition.golden(first, second)

    def write_result(self, source: np.ndarray, weights: np.ndarray, target: np.ndarray) -> None:
        """Write the packed sum of the packed operands into `target`, uint8."""
        self.target.put(self.golden(self.source.unpack(source), self.source.unpack(weights)), target)
