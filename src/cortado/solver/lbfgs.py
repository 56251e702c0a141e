"""L-BFGS: steps along the inverse curvature that the last gradients show, as long as a line search says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

import numpy as np
import torch
from torch import Tensor

from cortado.errors import WeightsError
from cortado.graph.solver_spec import SolverSpec
from cortado.net.net import TrainedBlob
from cortado.solver.update_rule import UncompiledOptimizer, UpdateRule, update_rules

# Pairs of steps and changes of the gradient that the curvature is estimated from.
PAIRS = 10


@update_rules.register("LBFGS")
class LBFGS(UpdateRule):
    """`torch.optim.LBFGS`, an iteration at a time, with a line search for the strong Wolfe conditions.

    It asks for the loss at several points of an iteration, so the data must be the same in each pass: one batch of
    everything. The learning rate is the first length the line search tries. Blobs move together, so an `lr_mult` must
    be 0 or 1. Caffe has no such rule. Source: Nocedal & Wright 2006, algorithms 7.5 and 3.5.
    """

    histories = 0

    def __init__(self, blobs: Iterable[TrainedBlob], spec: SolverSpec) -> None:
        blobs = tuple(blobs)
        for blob in blobs:
            if blob.lr_mult not in (0, 1):
                raise WeightsError(f"layer '{blob.layer}': lr_mult of blob {blob.index} must be 0 or 1 for LBFGS, "
                                   f"which moves all blobs together, not {blob.lr_mult:g}")
        super().__init__(blobs, spec)
        self._moved = [blob.value for blob in blobs if blob.value.requires_grad]
        self._minimiser = _Minimiser(
            self._moved, lr=spec.base_lr, max_iter=1, max_eval=2**31, history_size=PAIRS,
            tolerance_grad=spec.tolerance, tolerance_change=0, line_search_fn="strong_wolfe")

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One iteration; `closure` must be given, it computes the loss and its gradients anew."""
        if closure is None:
            raise TypeError("a step of LBFGS needs a closure that computes the loss and its gradients")
        self._minimiser.param_groups[0]["lr"] = self.param_groups[0]["lr"]
        return self._minimiser.step(closure)

    @property
    def finished(self) -> bool:
        largest = max(float(value.grad.abs().max()) for value in self._moved)
        return largest <= self.spec.tolerance

    def last_amount(self, value: Tensor) -> Tensor:
        state = self._state
        if not state.get("n_iter") or not value.requires_grad:
            return torch.zeros_like(value)
        before = sum(moved.numel() for moved in takewhile(lambda moved: moved is not value, self._moved))
        return -(state["t"] * state["d"][before : before + value.numel()]).view_as(value)

    @property
    def history(self) -> tuple[np.ndarray, ...]:
        """What the next step depends on: nothing before the first one."""
        state = self._state
        if not state.get("n_iter"):
            return ()
        numbers = [float(state[name]) for name in ("n_iter", "func_evals", "t", "prev_loss", "H_diag")]
        pairs = [value for pair in zip(state["old_dirs"], state["old_stps"], strict=True) for value in pair]
        return (np.array(numbers, np.float64), np.array([0.0, *map(float, state["ro"])]),
                *(_copied(value) for value in (state["d"], state["prev_flat_grad"], *pairs)))

    def restore(self, history: Sequence[np.ndarray], iteration: int) -> None:
        """Go on from a solverstate; raises `WeightsError` for one of other blobs or another rule."""
        if not history:
            return
        count = sum(value.numel() for value in self._moved)
        if len(history) < 4 or len(history) % 2 or history[0].size != 5 or len(history[1]) != len(history) // 2 - 1 \
                or any(array.size != count for array in history[2:]):
            raise WeightsError(f"the solver state must be of LBFGS with {count} trained values, it is of another rule "
                               "or network")
        state, like = self._state, self._moved[0]
        iterations, evaluations, length, loss, diagonal = history[0].tolist()
        direction, gradient, *pairs = (torch.from_numpy(array.reshape(-1).copy()).to(like.dtype)
                                       for array in history[2:])
        state.update(n_iter=int(iterations), func_evals=int(evaluations), t=length, prev_loss=loss, H_diag=diagonal,
                     d=direction, prev_flat_grad=gradient, ro=history[1][1:].tolist(), old_dirs=pairs[::2],
                     old_stps=pairs[1::2])

    @property
    def _state(self) -> dict:
        return self._minimiser.state[self._moved[0]]


class _Minimiser(UncompiledOptimizer, torch.optim.LBFGS):
    """The algorithm."""


def _copied(value: Tensor) -> np.ndarray:
    return value.detach().numpy().copy()
