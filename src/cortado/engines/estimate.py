"""What a layer costs on an engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Cost of one job, before it runs; estimates of several jobs on one engine add up."""

    cycles: int
    """Of the engine's clock, for a memory that moves a beat a cycle."""
    macs: int
    """Multiplications of a direct convolution."""
    multipliers: int
    """Of the engine."""

    @property
    def macs_per_multiplier_cycle(self) -> float:
        """MACs each multiplier is worth in a cycle."""
        return self.macs / (self.cycles * self.multipliers)

    def __add__(self, other: Estimate) -> Estimate:
        assert self.multipliers == other.multipliers, "estimates of two engines do not add up"
        return Estimate(cycles=self.cycles + other.cycles, macs=self.macs + other.macs, multipliers=self.multipliers)
