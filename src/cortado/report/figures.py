"""How numbers are written."""

from __future__ import annotations

from collections.abc import Mapping

from cortado.engines.estimate import Estimate
from cortado.graph.shape import TensorShape
from cortado.simulation.counters import Counters


def count(value: int) -> str:
    """A whole number with thin groups: 1,234,567."""
    return f"{value:,}"


def percent(share: float) -> str:
    """A share of one as a percentage: 98.33 %."""
    return f"{100 * share:.2f} %"


def shapes(tops: tuple[TensorShape, ...]) -> str:
    """Shapes of some blobs."""
    return ", ".join(str(shape) for shape in tops) or "-"


def idle(counters: Counters) -> str:
    """Share of idle cycles and its largest causes: 12 % (weights 9, input 3)."""
    if not counters.cycles:
        return "-"
    causes = sorted(counters.idle.items(), key=lambda item: -item[1])
    shares = [f"{cause} {100 * cycles / counters.cycles:.0f}" for cause, cycles in causes
              if 100 * cycles >= counters.cycles][:3]
    total = 100 * sum(counters.idle.values()) / counters.cycles
    return f"{total:.0f} %" + (f" ({', '.join(shares)})" if shares else "")


def counters_data(counters: Counters | None) -> Mapping[str, object] | None:
    """Counters for JSON."""
    if counters is None:
        return None
    return {"cycles": counters.cycles, "busy": counters.busy, "idle": dict(counters.idle)}


def estimate_data(estimate: Estimate | None) -> Mapping[str, object] | None:
    """An estimate for JSON."""
    if estimate is None:
        return None
    return {"cycles": estimate.cycles, "macs_per_multiplier_cycle": estimate.macs_per_multiplier_cycle}
