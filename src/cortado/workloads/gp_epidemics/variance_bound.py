"""Bounds on the posterior variance from the training points near a time: Lemma 1, and what is wrong with it.

With T_r the training points within r of a time t, the paper's text prints
    s2(t) <= alpha**2 - alpha**2 / (alpha**2 + sigma**2 / |T_r|),
its appendix alpha**4 in the numerator. Both are false: neither depends on how far away those points are. The result the
paper cites (Lederer, Umlauft & Hirche 2021, corollary 2) has the kernel at that distance,
    s2(t) <= k(0) - k(r)**2 / (k(0) + sigma**2 / |T_r|)   for r <= k(0) / L_k.
"""

from __future__ import annotations

import numpy as np

from cortado.workloads.gp_epidemics.hyperparameters import Hyperparameters


def near_counts(time: float, times: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """|T_r| for each radius: how many of `times` are within it of `time`."""
    return (np.abs(times - time)[None, :] <= radii[:, None]).sum(1)


def variance_bounds(parameters: Hyperparameters, radii: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The bound for each radius, by the corollary cited; k(0) where no point is near."""
    return _bounds(parameters, parameters.kernel(radii)**2, counts)


def printed_variance_bounds(parameters: Hyperparameters, counts: np.ndarray, *, appendix: bool) -> np.ndarray:
    """What the paper prints in its text or in its appendix, for comparison; it does not hold."""
    numerator = parameters.variance**2 if appendix else parameters.variance
    return _bounds(parameters, np.full(len(counts), numerator), counts)


def allowed_radii(parameters: Hyperparameters, radii: np.ndarray) -> np.ndarray:
    """Those of the radii for which the corollary is stated."""
    return radii[radii <= parameters.variance / parameters.lipschitz]


def _bounds(parameters: Hyperparameters, numerators: np.ndarray, counts: np.ndarray) -> np.ndarray:
    noise = parameters.noise / np.maximum(counts, 1)
    return parameters.variance - np.where(counts > 0, numerators / (parameters.variance + noise), 0)
