"""What a fitted Gaussian process says of some points, and how good that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

# Standard deviations that hold 95 % of a normal distribution.
INTERVAL = 1.96


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """At `times` (m,): mean and variance without noise, what was observed; `bound` is Theorem 1's where asked for."""

    times: np.ndarray = field(repr=False)
    mean: np.ndarray = field(repr=False)
    variance: np.ndarray = field(repr=False)
    observed: np.ndarray = field(repr=False)
    bound: np.ndarray | None = field(default=None, repr=False)

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation, (m,); rounding may have put a variance below 0."""
        return np.sqrt(np.maximum(self.variance, 0))

    @property
    def error(self) -> np.ndarray:
        """Mean minus observation, (m,)."""
        return self.mean - self.observed

    def data(self) -> dict[str, Any]:
        """As values of JSON."""
        return {name: None if value is None else value.tolist() for name, value in asdict(self).items()}

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Posterior:
        """The reverse of `data`."""
        return cls(**{name: None if value is None else np.array(value) for name, value in data.items()})


def accuracy(posteriors: Sequence[Posterior]) -> dict[str, float]:
    """Mean squared error, and the share of points within 1.96 standard deviations."""
    errors = np.concatenate([posterior.error for posterior in posteriors])
    deviations = np.concatenate([posterior.deviation for posterior in posteriors])
    return {"mse": float(np.square(errors).mean()),
            "coverage": float((np.abs(errors) <= INTERVAL * deviations).mean()), "points": len(errors)}
