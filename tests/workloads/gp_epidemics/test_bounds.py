"""Lemma 1 as it should be and as it is printed, and Theorem 1, on processes drawn at random."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cortado.errors import FieldError
from cortado.workloads.gp_epidemics.error_bound import ErrorBound
from cortado.workloads.gp_epidemics.hyperparameters import Hyperparameters
from cortado.workloads.gp_epidemics.variance_bound import (
    allowed_radii,
    near_counts,
    printed_variance_bounds,
    variance_bounds,
)

PARAMETERS = Hyperparameters(variance=0.008, length=18.5, noise=0.003)


def posterior_variance(parameters, times, time):
    """By the inverse, which nothing else here uses."""
    cross = parameters.kernel(times - time)
    covariance = parameters.kernel(times[:, None] - times) + parameters.noise * np.eye(len(times))
    return parameters.variance - cross @ np.linalg.inv(covariance) @ cross


def test_near_points_by_a_loop(rng):
    times, radii = rng.uniform(0, 30, 12), np.array([0.5, 4.0, 50.0])
    assert near_counts(7.0, times, radii).tolist() == [sum(abs(t - 7.0) <= r for t in times) for r in radii]


def test_the_corrected_bound_holds_and_the_printed_ones_do_not(rng):
    failed = {"corrected": 0, "text": 0, "appendix": 0}
    pairs = 0
    for _ in range(20):
        times = np.sort(rng.uniform(0, 40, 12))
        for time in rng.uniform(-10, 60, 10):
            variance = posterior_variance(PARAMETERS, times, time)
            radii = allowed_radii(PARAMETERS, np.arange(1.0, 60))
            counts = near_counts(time, times, radii)
            radii, counts = radii[counts > 0], counts[counts > 0]
            pairs += len(radii)
            failed["corrected"] += (variance > variance_bounds(PARAMETERS, radii, counts) + 1e-15).sum()
            failed["text"] += (variance > printed_variance_bounds(PARAMETERS, counts, appendix=False)).sum()
            failed["appendix"] += (variance > printed_variance_bounds(PARAMETERS, counts, appendix=True)).sum()
    assert failed["corrected"] == 0
    assert failed["text"] == pairs > 1000
    assert failed["appendix"] > pairs / 2


def test_the_corrected_bound_by_hand():
    # k(r)**2 / (k(0) + noise / n) with k(10) = 2 exp(-1/2): 4 / e / (2 + 0.5 / 5).
    parameters = Hyperparameters(variance=2, length=10, noise=0.5)
    bound, = variance_bounds(parameters, np.array([10.0]), np.array([5]))
    assert bound == pytest.approx(2 - 4 / math.e / 2.1)
    # As far as k(0) / L_k = beta sqrt(e) = 16.5.
    assert allowed_radii(parameters, np.array([16.0, 17.0])).tolist() == [16.0]
    assert variance_bounds(parameters, np.array([1.0]), np.array([0])).tolist() == [2]


def test_the_constants_of_theorem_1():
    bound = ErrorBound()
    # The paper's figure 5: 2 log 120.
    assert bound.gamma == pytest.approx(9.575, abs=5e-4)
    times, differences = np.array([0.0, 3.0, 5.0]), np.array([0.1, -0.2, 0.3])
    inverse = np.linalg.inv(PARAMETERS.kernel(times[:, None] - times) + 0.003 * np.eye(3))
    lipschitz = 0.008 / (18.5 * math.exp(0.5))
    mean = lipschitz * math.sqrt(3) * np.linalg.norm(inverse @ differences)
    variance = 2 * 3 * 0.008**2 / (18.5 * math.exp(0.5)) * np.linalg.norm(inverse, 2)
    xi = (0.01 + mean) * 5 + math.sqrt(9.5750 * variance * 5)
    found = bound.bounds(PARAMETERS, times, differences, np.array([0.0, 0.004]))
    np.testing.assert_allclose(found, [xi, xi + math.sqrt(9.5750 * 0.004)], rtol=1e-4)


def test_the_bound_holds_for_functions_the_prior_draws(rng):
    times = np.arange(30.0)
    everything = np.arange(50.0)
    covariance = PARAMETERS.kernel(everything[:, None] - everything) + 1e-12 * np.eye(50)
    for _ in range(10):
        true = np.linalg.cholesky(covariance) @ rng.standard_normal(50)
        seen = true[:30] + math.sqrt(PARAMETERS.noise) * rng.standard_normal(30)
        inverse = np.linalg.inv(PARAMETERS.kernel(times[:, None] - times) + PARAMETERS.noise * np.eye(30))
        cross = PARAMETERS.kernel(everything[:, None] - times)
        variances = np.array([posterior_variance(PARAMETERS, times, time) for time in everything])
        steepness = float(np.abs(np.diff(true)).max())
        bounds = ErrorBound(steepness=steepness).bounds(PARAMETERS, times, seen, variances)
        assert (np.abs(cross @ inverse @ seen - true) <= bounds).all()


@pytest.mark.parametrize(("field", "words"), [
    ({"risk": 1.0}, "risk must be above 0 and below 1, not 1.0"), ({"grid": 0.0}, "grid must be above 0, not 0.0")])
def test_limits(field, words):
    with pytest.raises(FieldError) as caught:
        ErrorBound(**field)
    assert str(caught.value) == words
