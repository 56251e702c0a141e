"""How far a proof goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Cycles a solver looks at."""

    bounded: int = 12
    """From reset: no claim fails in this many cycles."""
    induction: int | None = 4
    """Claims that held for this many cycles hold in the next one, whatever the cycle: with `bounded` a proof for ever.
    None where only the bounded proof is made."""
    reach: int | None = 12
    """Everything that must be reachable is, in this many cycles from reset. None where it lies too far for the solver,
    and the claims say when it happens."""
