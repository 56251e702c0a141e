"""Log differences against loops, and against those the paper's authors computed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cortado.frontends.data_store import path_to
from cortado.workloads.gp_epidemics.case_series import read_cases
from cortado.workloads.gp_epidemics.files import CASES, DIFFERENCES
from cortado.workloads.gp_epidemics.log_difference import LogBase, log_differences, rolling_mean


@pytest.mark.parametrize(("smoothing", "lag"), [(1, 1), (3, 2), (5, 7)])
@pytest.mark.parametrize("base", LogBase)
def test_against_a_loop(rng, smoothing, lag, base):
    cases = rng.uniform(1, 9, 20)
    means = [sum(cases[day - smoothing + 1:day + 1]) / smoothing for day in range(smoothing - 1, 20)]
    logarithm = math.log10 if base is LogBase.TEN else math.log
    expected = [logarithm(means[day]) - logarithm(means[day - lag]) for day in range(lag, len(means))]
    np.testing.assert_allclose(rolling_mean(cases, smoothing), means, rtol=1e-13)
    np.testing.assert_allclose(log_differences(cases, smoothing=smoothing, lag=lag, base=base), expected, atol=1e-13)


def test_against_the_authors_own(real_files):
    ours = log_differences(read_cases(path_to(CASES)), smoothing=30, lag=7)
    theirs = np.array(path_to(DIFFERENCES).read_text(encoding="utf-8-sig").split(), np.float64)
    np.testing.assert_allclose(ours, theirs, atol=1e-14)
