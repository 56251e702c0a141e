"""Baselines on series whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.workloads.gp_epidemics import baselines
from cortado.workloads.gp_epidemics.posterior import Posterior, accuracy

TIMES, AHEAD = np.arange(30.0), np.arange(30.0, 35.0)


def test_a_cubic_is_continued_by_the_polynomial():
    values = 0.001 * (TIMES - 4) ** 3
    np.testing.assert_allclose(baselines.polynomial(3)(TIMES, values, AHEAD, 0), 0.001 * (AHEAD - 4) ** 3, rtol=1e-9)


def test_the_nearest_points_are_averaged():
    values = TIMES**2
    assert baselines.nearest(3)(TIMES, values, AHEAD, 0) == pytest.approx([np.mean(values[-3:])] * 5)


def test_the_last_value_stays():
    values = TIMES * 2
    assert baselines.last_value(TIMES, values, AHEAD, 0).tolist() == [58] * 5
    assert baselines.last_value(TIMES, values, TIMES[:3], 0).tolist() == [0, 0, 2]


def test_the_network_learns_a_line():
    predict = baselines.network((20,), activation="tanh", rate=0.02)
    np.testing.assert_allclose(predict(TIMES, 0.1 * TIMES, TIMES, 1), 0.1 * TIMES, atol=0.2)


def test_intervals_are_those_of_a_windows_residuals():
    window = (TIMES, TIMES, AHEAD, AHEAD)
    posterior, = baselines.baseline(baselines.last_value, (window,), 0)
    # Residuals -1 to -5, whose variance is 2.
    assert posterior.variance.tolist() == [2] * 5
    # 1.96 sqrt(2) = 2.8: two of five are within.
    assert accuracy((posterior,)) == {"mse": 11, "coverage": 0.4, "points": 5}


def test_a_variance_below_zero_is_none():
    posterior = Posterior(times=np.zeros(2), mean=np.zeros(2), variance=np.array([-1e-18, 4.0]), observed=np.ones(2))
    assert posterior.deviation.tolist() == [0, 2]
    assert accuracy((posterior,))["coverage"] == 0.5
