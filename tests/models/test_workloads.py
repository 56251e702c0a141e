"""The networks of workloads, as files: `cortado train` takes their solvers as they are."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.frontends.solver_file import read_solver
from cortado.resources import models_root
from cortado.solver.solver import Solver

# Trained values by the papers' dimensions, without running statistics. dagcn: 7 tags to 64 and a norm; two hops of 64 x
# 64, a bias and a norm; 128 to 64 and a norm; pooling 64 x 64 and 4 x 64 with biases and norms; 256 to 64 to 2.
# gcn: 7, 64 and 64 to 64 with norms; 64 to 64 to 2. gp_epidemics: alpha, beta, sigma.
DENSE = 64 * 64 + 64
TRAINED = {
    "dagcn/solver": (7 * 64 + 64 + 128) + 2 * (DENSE + 128) + (128 * 64 + 128) + (DENSE + 128 + 4 * 65 + 8)
    + (256 * 64 + 64 + 2 * 65),
    "dagcn/gcn_solver": (7 * 64 + 64 + 128) + 2 * (DENSE + 128) + DENSE + 2 * 65,
    "gp_epidemics/solver": 3,
}


@pytest.mark.parametrize("name", TRAINED)
def test_a_solver_trains_its_network(real_files, name):
    file = read_solver(models_root() / f"{name}.prototxt")
    solver = Solver(file.with_fields(test_initialization=False))
    assert sum(blob.value.numel() for blob in solver.net.trained_blobs if blob.value.requires_grad) == TRAINED[name]
    before = float(solver.net.loss(solver.net()).detach())
    solver.step(12)
    after = float(solver.net.loss(solver.net()).detach())
    assert np.isfinite(after)
    assert after < before
