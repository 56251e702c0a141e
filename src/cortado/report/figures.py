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
    """Share of idle cycles and of each cause, largest first: 12 % (weights 9, input 3). They add up.

    Each share is rounded up or down, those with the largest remainders up, so that the sum is the rounded total.
    """
    if not counters.cycles:
        return "-"
    shares = {cause: divmod(100 * cycles, counters.cycles) for cause, cycles in counters.idle.items()}
    total = round(100 * sum(counters.idle.values()) / counters.cycles)
    missing = total - sum(share for share, _ in shares.values())
    raised = sorted(shares, key=lambda cause: -shares[cause][1])[:missing]
    percents = {cause: share + (cause in raised) for cause, (share, _) in shares.items()}
    causes = [f"{cause} {percents[cause]}" for cause in sorted(percents, key=lambda cause: -counters.idle[cause])
              if percents[cause]]
    return f"{total} %" + (f" ({', '.join(causes)})" if causes else "")


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
