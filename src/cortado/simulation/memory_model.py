"""The memory a simulated engine sees, as numbers every figure names."""

from __future__ import annotations

from dataclasses import dataclass

from cortado.errors import ConfigurationError

LARGEST_LATENCY_CYCLES = 10_000
LARGEST_OUTSTANDING_BURSTS = 1024
BEAT_WIDTHS = (32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, kw_only=True)
class MemoryModel:
    """One read port and one write port shared by all masters, each moving at most one beat a cycle.

    `sim/engine/memory_model.h` says to the cycle what the ports do. Raises `ConfigurationError` outside the legal
    range.
    """

    latency_cycles: int = 64
    """From a request to its first read beat, and from the last written beat to the response."""
    outstanding_bursts: int = 16
    """Most bursts in flight in each port."""
    beat_bits: int = 128
    """Width of both ports."""
    stall_probability: float = 0.0
    """Chance that a stream is held back in a cycle, for tests of the engine's flow control."""
    stall_seed: int = 0

    def __post_init__(self) -> None:
        for name, limit in (("latency_cycles", LARGEST_LATENCY_CYCLES),
                            ("outstanding_bursts", LARGEST_OUTSTANDING_BURSTS)):
            value = getattr(self, name)
            if not 1 <= value <= limit:
                raise ConfigurationError(f"memory model: {name} must be from 1 to {limit}, not {value}")
        if self.beat_bits not in BEAT_WIDTHS:
            raise ConfigurationError(f"memory model: beat_bits must be one of {', '.join(map(str, BEAT_WIDTHS))}, "
                                     f"not {self.beat_bits}")
        # A stream that is always held back never moves.
        if not 0.0 <= self.stall_probability < 1.0:
            raise ConfigurationError(
                f"memory model: stall_probability must be at least 0 and below 1, not {self.stall_probability}")
        if not 0 <= self.stall_seed < 2**63:
            raise ConfigurationError(f"memory model: stall_seed must be from 0 to 2**63 - 1, not {self.stall_seed}")

    def __str__(self) -> str:
        text = (f"{self.beat_bits}-bit beats, {self.latency_cycles} cycles latency, "
                f"{self.outstanding_bursts} bursts outstanding")
        if self.stall_probability:
            text += f", stalls with probability {self.stall_probability} (seed {self.stall_seed})"
        return text
