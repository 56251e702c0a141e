"""The high-probability bound on the error of a prediction: Theorem 1 with all its constants."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cortado.errors import FieldError
from cortado.workloads.gp_epidemics.hyperparameters import Hyperparameters


@dataclass(frozen=True, kw_only=True)
class ErrorBound:
    """What the theorem takes as known: `interval` T-hat, the days it speaks of; `grid` tau, in days; `steepness` L, the
    Lipschitz constant of the true differences a day; `risk` delta, the probability that it fails. The defaults are
    those of the paper's figure 5.
    """

    interval: float = 50.0
    grid: float = 5.0
    steepness: float = 0.01
    risk: float = 0.05

    def __post_init__(self) -> None:
        for name in ("interval", "grid", "steepness"):
            if getattr(self, name) <= 0:
                raise FieldError(name, f"must be above 0, not {getattr(self, name)}")
        if not 0 < self.risk < 1:
            raise FieldError("risk", f"must be above 0 and below 1, not {self.risk}")

    @property
    def gamma(self) -> float:
        """2 log(M / delta), where M = T-hat / (2 tau) + 1 intervals of radius tau cover the time."""
        return 2 * math.log((self.interval / (2 * self.grid) + 1) / self.risk)

    def bounds(self, parameters: Hyperparameters, times: np.ndarray, differences: np.ndarray,
               variances: np.ndarray) -> np.ndarray:
        """sqrt(gamma) s(t) + xi for posterior variances (m,), after training times and differences (n,).

        xi = (L + L_m) tau + sqrt(gamma L_s2 tau), with L_m = L_k sqrt(n) ||(K + sigma**2 I)^-1 y|| and
        L_s2 = 2 n alpha**2 L_k ||(K + sigma**2 I)^-1||.
        """
        covariance = parameters.kernel(times[:, None] - times) + parameters.noise * np.eye(len(times))
        values, vectors = np.linalg.eigh(covariance)
        weights = float(np.linalg.norm((vectors.T @ differences) / values))
        mean_steepness = parameters.lipschitz * math.sqrt(len(times)) * weights
        variance_steepness = 2 * len(times) * parameters.variance * parameters.lipschitz / values[0]
        xi = (self.steepness + mean_steepness) * self.grid + math.sqrt(self.gamma * variance_steepness * self.grid)
        return math.sqrt(self.gamma) * np.sqrt(variances) + xi
