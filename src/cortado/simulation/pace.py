"""How long a simulation will take, before it starts."""

from __future__ import annotations

# Fitted to engines of 64, 144 and 576 multipliers on one core of a 2026 server: a guess within a factor of two,
# good enough to choose between waiting and coming back.
SECONDS_PER_CYCLE = 1.6e-6
SECONDS_PER_CYCLE_AND_MULTIPLIER = 4.5e-9


def expected_seconds(cycles: int, multipliers: int) -> float:
    """Seconds a simulation of so many cycles takes about, the building of the simulator not counted."""
    return cycles * (SECONDS_PER_CYCLE + multipliers * SECONDS_PER_CYCLE_AND_MULTIPLIER)


def words(seconds: float) -> str:
    """A duration for people: 40 s, 3 min, 2.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
