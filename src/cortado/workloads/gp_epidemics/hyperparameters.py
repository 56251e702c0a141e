"""The hyper-parameters of a trained Gaussian process."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cortado.net.net import Net


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """`variance` alpha**2, `length` beta in days, `noise` sigma**2."""

    variance: float
    length: float
    noise: float

    def kernel(self, distance: np.ndarray) -> np.ndarray:
        """k at a distance in days."""
        return self.variance * np.exp(-np.square(distance / self.length) / 2)

    @property
    def lipschitz(self) -> float:
        """L_k, the steepest k gets: alpha**2 / (beta e**(1/2)). Source: the paper, Lemma 2."""
        return self.variance / (self.length * math.exp(0.5))


def hyperparameters_of(net: Net) -> Hyperparameters:
    """Those of a network with layers `kernel` and `likelihood`."""
    kernel, likelihood = net.stage("kernel").layer, net.stage("likelihood").layer
    return Hyperparameters(variance=float(kernel.variance.detach()), length=float(kernel.length.detach()),
                           noise=float(likelihood.noise_variance.detach()))
