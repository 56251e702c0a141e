"""What an engine counted during a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from cortado.errors import SimulationError

IDLE_PREFIX = "idle_"


@dataclass(frozen=True, kw_only=True)
class Counters:
    """Cycles of a job: busy multiplying, or idle for one cause. Counters of several jobs add up.

    Raises `SimulationError` unless cycles = busy + idle.
    """

    cycles: int = 0
    busy: int = 0
    idle_setup: int = 0
    idle_input: int = 0
    idle_weights: int = 0
    idle_drain: int = 0
    idle_output: int = 0
    idle_hazard: int = 0
    idle_finish: int = 0
    idle_map: int = 0

    def __post_init__(self) -> None:
        counted = self.busy + sum(self.idle.values())
        if counted != self.cycles:
            raise SimulationError(f"engine counters: busy + idle cycles must be the {self.cycles} cycles of the job, "
                                  f"not {counted}")

    @property
    def idle(self) -> Mapping[str, int]:
        """Idle cycles by cause, in register order; every cause is there."""
        return {field.name.removeprefix(IDLE_PREFIX): getattr(self, field.name) for field in fields(self)
                if field.name.startswith(IDLE_PREFIX)}

    def __add__(self, other: Counters) -> Counters:
        return Counters(**{field.name: getattr(self, field.name) + getattr(other, field.name)
                           for field in fields(self)})
