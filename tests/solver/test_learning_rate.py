"""The policies against the table of `caffe.proto`, by hand."""

from __future__ import annotations

import math

import pytest

from cortado.graph.solver_spec import SolverSpec
from cortado.solver.learning_rate import learning_rate, step_count


@pytest.mark.parametrize(("fields", "expected"), [
    ({"lr_policy": "fixed"}, {0: 0.5, 100: 0.5}),
    ({"lr_policy": "step", "gamma": 0.1, "stepsize": 10}, {0: 0.5, 9: 0.5, 10: 0.05, 25: 0.005}),
    ({"lr_policy": "exp", "gamma": 0.5}, {0: 0.5, 1: 0.25, 3: 0.0625}),
    ({"lr_policy": "inv", "gamma": 1.0, "power": 2.0}, {0: 0.5, 1: 0.125, 4: 0.02}),
    ({"lr_policy": "multistep", "gamma": 0.1, "stepvalue": (5, 8)}, {4: 0.5, 5: 0.05, 7: 0.05, 8: 0.005, 90: 0.005}),
    ({"lr_policy": "poly", "power": 2.0, "max_iter": 10}, {0: 0.5, 5: 0.125, 10: 0.0}),
    ({"lr_policy": "sigmoid", "gamma": 0.5, "stepsize": 4}, {4: 0.25, 6: 0.5 / (1 + 1 / math.e)}),
])
def test_policies(fields, expected):
    spec = SolverSpec(base_lr=0.5, **fields)
    assert {iteration: learning_rate(spec, iteration) for iteration in expected} == pytest.approx(expected)


def test_steps_are_counted_for_the_solver_state():
    assert step_count(SolverSpec(lr_policy="step", stepsize=10), 25) == 2
    assert step_count(SolverSpec(lr_policy="multistep", stepvalue=(5, 8)), 8) == 2
    assert step_count(SolverSpec(), 8) == 0
