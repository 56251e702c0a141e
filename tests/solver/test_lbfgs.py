"""L-BFGS: what it finds, when it ends, and that it goes on as if it had not been interrupted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cortado.errors import FieldError, WeightsError
from cortado.frontends.solver_file import parse_solver
from cortado.graph.solver_spec import SolverSpec
from cortado.net.net import TrainedBlob
from cortado.solver.lbfgs import LBFGS
from cortado.solver.snapshot import read_snapshot
from cortado.solver.solver import Solver

# Least squares of six points: y = 2 x - 1 in the first output, its rest of no use to the loss.
NETWORK = '''
name: "line"
layer { name: "data" type: "DummyData" top: "x" top: "y" dummy_data_param {
        shape { dim: 1 dim: 2 } data_filler { value: 3 } data_filler { value: 5 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param {
        num_output: 2 weight_filler { type: "gaussian" } } }
layer { name: "squash" type: "TanH" bottom: "ip" top: "squash" }
layer { name: "out" type: "InnerProduct" bottom: "squash" top: "out" inner_product_param {
        num_output: 2 weight_filler { type: "gaussian" } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "out" bottom: "y" top: "loss" }
'''
FIELDS = 'type: "LBFGS" base_lr: 1 random_seed: 2 precision: DOUBLE snapshot_after_train: false '


def solver(folder, fields: str) -> Solver:
    (folder / "net.prototxt").write_text(NETWORK)
    text = f'net: "net.prototxt" {FIELDS} snapshot_prefix: "{folder}/s" {fields}'
    return Solver(parse_solver(text, folder / "solver.prototxt"))


def rosenbrock(x: torch.Tensor) -> torch.Tensor:
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def minimise(rule, x, steps):
    def closure():
        rule.zero_grad()
        loss = rosenbrock(x)
        loss.backward()
        return float(loss.detach())

    for _ in range(steps):
        rule.step(closure)


def blob_of(x):
    return TrainedBlob(layer="l", index=0, value=x, lr_mult=1, decay_mult=1)


def test_finds_the_bottom_of_rosenbrocks_valley():
    x = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    minimise(LBFGS([blob_of(x)], SolverSpec(type="LBFGS", base_lr=1)), x, 45)
    np.testing.assert_allclose(x.detach().numpy(), [1, 1], atol=1e-8)


def test_each_step_is_one_of_torchs():
    ours, theirs = (nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64)) for _ in range(2))
    other = torch.optim.LBFGS([theirs], max_iter=1, max_eval=1000, history_size=10, line_search_fn="strong_wolfe",
                              tolerance_grad=0, tolerance_change=0)
    minimise(LBFGS([blob_of(ours)], SolverSpec(type="LBFGS", base_lr=1)), ours, 12)
    minimise(other, theirs, 12)
    assert ours.tolist() == theirs.tolist()


def test_ends_when_the_gradient_is_small(tmp_path):
    training = solver(tmp_path, "max_iter: 200 tolerance: 1e-9")
    training.solve()
    assert training.finished
    assert training.iteration < 60
    loss, _ = training._gradients()
    assert loss < 1e-15
    assert max(float(blob.value.grad.abs().max()) for blob in training.net.trained_blobs) <= 1e-9


def test_goes_on_from_a_snapshot_to_the_bit(tmp_path):
    whole = solver(tmp_path, "max_iter: 9 snapshot: 5")
    whole.solve()
    again = solver(tmp_path, "max_iter: 9")
    again.restore(tmp_path / "s_iter_5.solverstate")
    again.solve()
    assert again.iteration == 9
    for before, after in zip(whole.net.trained_blobs, again.net.trained_blobs, strict=True):
        assert before.value.dtype == torch.float64
        assert torch.equal(before.value, after.value)


@pytest.mark.parametrize(("snapshot_format", "ending"), [("BINARYPROTO", ""), ("HDF5", ".h5")])
def test_a_snapshot_with_diffs_in_either_format(tmp_path, snapshot_format, ending):
    """Doubles stay doubles, and a diff is what the last step subtracted."""
    training = solver(tmp_path, f"max_iter: 4 snapshot: 1 snapshot_diff: true snapshot_format: {snapshot_format}")
    training.solve()
    earlier, later = ([blob for layer in ("ip", "out") for blob in weights[layer]] for weights in (
        read_snapshot(tmp_path / f"s_iter_{iteration}.solverstate{ending}")[1] for iteration in (3, 4)))
    for before, after, blob in zip(earlier, later, training.net.trained_blobs, strict=True):
        assert after.dtype == np.float64
        np.testing.assert_array_equal(after, blob.value.detach().numpy())
        np.testing.assert_allclose(training.rule.last_amount(blob.value).numpy(), before - after, rtol=1e-6, atol=1e-12)


def test_a_state_of_another_rule_is_refused(tmp_path):
    training = solver(tmp_path, "max_iter: 9")
    with pytest.raises(WeightsError, match=r"^the solver state must be of LBFGS with 12 trained values, it is of "
                                           r"another rule or network$"):
        training.rule.restore((np.zeros(12),), 3)


def test_blobs_move_together():
    blob = TrainedBlob(layer="ip", index=1, value=nn.Parameter(torch.zeros(2)), lr_mult=2, decay_mult=1)
    with pytest.raises(WeightsError, match=r"^layer 'ip': lr_mult of blob 1 must be 0 or 1 for LBFGS, which moves all "
                                           r"blobs together, not 2$"):
        LBFGS([blob], SolverSpec(type="LBFGS"))


@pytest.mark.parametrize(("field", "value", "words"), [
    ("weight_decay", 0.1, "weight_decay must be 0 for LBFGS, not 0.1"),
    ("momentum", 0.9, "momentum must be 0 for LBFGS, not 0.9"),
    ("clip_gradients", 1.0, "clip_gradients must be -1 for LBFGS, not 1"),
    ("iter_size", 2, "iter_size must be 1 for LBFGS, not 2"),
])
def test_what_its_line_search_cannot_have(field, value, words):
    with pytest.raises(FieldError) as caught:
        SolverSpec(type="LBFGS", **{field: value})
    assert str(caught.value) == words
