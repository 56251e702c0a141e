"""DAGCN on a few folds of MUTAG, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import WorkloadError
from cortado.workloads.dagcn.convergence import Curve, settled
from cortado.workloads.dagcn.recipe import Method
from cortado.workloads.run import run_workload


def test_every_method_runs_in_the_harness(real_files, tmp_path):
    result = run_workload("dagcn", folder=tmp_path / "a", settings={"folds": (4,), "epochs": 2})
    for method in Method:
        if method is Method.WL:
            assert result.metrics["WL kernel"]["accuracy"] > 0.6
        else:
            assert 0 <= result.metrics[f"{method.value}, last epoch"]["accuracy"] <= 1
            assert result.metrics[f"{method.value}, best epoch"]["epoch"] in (1, 2)
    assert result.pictures == ("convergence.png", "convergence.svg")
    assert len(result.data) == 3


def test_it_learns(real_files, tmp_path):
    """Two thirds of MUTAG are of one class."""
    result = run_workload("dagcn", folder=tmp_path / "a", settings={
        "methods": "dagcn", "folds": "2,3", "epochs": "15"})
    assert result.metrics["DAGCN, last epoch"]["accuracy"] > 0.75


@pytest.mark.slow
def test_ten_folds_of_mutag(real_files, tmp_path):
    result = run_workload("dagcn", folder=tmp_path / "a", settings={"methods": "dagcn"})
    assert result.metrics["DAGCN, last epoch"]["accuracy"] >= 0.84


def test_when_a_curve_has_settled():
    curve = Curve(epochs=(0, 1, 2, 3, 4), accuracies=np.array([[0.5, 0.9, 0.7, 0.85, 0.8], [0.5, 0.9, 0.7, 0.85, 0.8]]))
    # 95 % of 0.8 is 0.76: from epoch 3 on.
    assert settled(curve) == 3
    assert settled(Curve(epochs=(0, 1), accuracies=np.array([[0.8, 0.8]]))) == 0


@pytest.mark.parametrize(("settings", "message"), [
    ({"folds": "0,1"}, "setting 'folds' must be different numbers from 1 to 10, not (0, 1)"),
    ({"folds": "1,1"}, "setting 'folds' must be different numbers from 1 to 10, not (1, 1)"),
    ({"methods": ""}, "setting 'methods' must be at least one"),
    ({"methods": "gin"}, ("setting 'methods' must be one of dagcn, dagcn_heads, gcn_sum, gcn_mean, gcn_max, wl, not "
                          "'gin'")),
    ({"rate": "0"}, "setting 'rate' must be above 0, not 0.0"),
    ({"dropout": "1"}, "setting 'dropout' must be at least 0 and below 1, not 1.0"),
    ({"epochs": "0"}, "setting 'epochs' must be at least 1, not 0"),
])
def test_what_is_refused(tmp_path, settings, message):
    with pytest.raises(WorkloadError) as caught:
        run_workload("dagcn", folder=tmp_path / "a", settings=settings)
    assert str(caught.value) == f"workload 'dagcn': {message}"
