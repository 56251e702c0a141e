"""What every update rule answers, and the registry that finds it by the name in a solver file."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from cortado.errors import WeightsError
from cortado.graph.solver_spec import SolverSpec
from cortado.net.net import TrainedBlob
from cortado.registry import Registry

update_rules: Registry[type[UpdateRule]] = Registry("solver type")


class UncompiledOptimizer(torch.optim.Optimizer):
    """A torch optimiser without what keeps torch.compile off its methods: that imports the compiler, which takes longer
    than many a training.
    """

    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Optimizer.zero_grad)


class UpdateRule(UncompiledOptimizer):
    """A torch optimiser that moves trained blobs exactly as a solver of Caffe does.

    A step clips the gradients, divides them by `iter_size`, adds the weight decay and subtracts what the rule makes of
    them, in this order (`sgd_solver.cpp`, SGDSolver::ApplyUpdate). The learning rate is `lr` of the parameter groups,
    one for each blob, times the blob's own `lr_mult`. A subclass is one file.
    """

    # Arrays of the shape of a blob that the rule keeps for it.
    histories: ClassVar[int] = 1

    def __init__(self, blobs: Iterable[TrainedBlob], spec: SolverSpec) -> None:
        self.spec = spec
        super().__init__([{"params": [blob.value], "lr_mult": blob.lr_mult, "decay_mult": blob.decay_mult}
                          for blob in blobs], {"lr": spec.base_lr, "iteration": 0})
        for group in self.param_groups:
            value, = group["params"]
            self.state[value]["history"] = [torch.zeros_like(value) for _ in range(self.histories)]

    def amount(self, gradient: Tensor, history: Sequence[Tensor], rate: float, iteration: int) -> Tensor:
        """What is subtracted from a blob, of its shape; changes its `history`. `rate` holds its `lr_mult`.

        `iteration` counts the steps before this one.
        """
        raise NotImplementedError

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step; with a `closure`, after calling it for the gradients, and then what it returns."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        gradients = [self._gradient(group) for group in self.param_groups]
        scale = self._clipping([gradient for gradient in gradients if gradient is not None]) / self.spec.iter_size
        for group, gradient in zip(self.param_groups, gradients, strict=True):
            if gradient is not None:
                value, = group["params"]
                regularised = self._regularised(gradient if scale == 1 else gradient * scale, value, group)
                amount = self.amount(regularised, self.state[value]["history"], group["lr"] * group["lr_mult"],
                                     group["iteration"])
                value -= amount
                if self.spec.snapshot_diff:
                    self.state[value]["amount"] = amount
            group["iteration"] += 1
        return loss

    @property
    def finished(self) -> bool:
        """Whether the gradients just computed say that no further step is worth making; most rules cannot tell."""
        return False

    def last_amount(self, value: Tensor) -> Tensor:
        """What the last step subtracted from a blob, which is kept with `snapshot_diff`; 0 before the first."""
        amount = self.state[value].get("amount")
        return torch.zeros_like(value) if amount is None else amount

    def set_rate(self, rate: float) -> None:
        """The learning rate of the next steps, before each blob's own factor."""
        for group in self.param_groups:
            group["lr"] = rate

    @property
    def history(self) -> tuple[np.ndarray, ...]:
        """Copies of the kept arrays in the order of a solverstate: the first one of every blob, then the second."""
        kept = [self.state[group["params"][0]]["history"] for group in self.param_groups]
        return tuple(arrays[index].numpy().copy() for index in range(self.histories) for arrays in kept)

    def restore(self, history: Sequence[np.ndarray], iteration: int) -> None:
        """Go on from a solverstate; raises `WeightsError` for one of other blobs or another rule."""
        wanted = [self.state[group["params"][0]]["history"][index] for index in range(self.histories)
                  for group in self.param_groups]
        if len(history) != len(wanted):
            raise WeightsError(f"the solver state must have {len(wanted)} arrays for type {self.spec.rule} and "
                               f"{len(self.param_groups)} trained blobs, not {len(history)}")
        for index, (kept, array) in enumerate(zip(wanted, history, strict=True)):
            if array.size != kept.numel():
                raise WeightsError(f"array {index} of the solver state must have the {kept.numel()} values of the "
                                   f"network's blob, not {array.size}")
            kept.copy_(torch.from_numpy(np.ascontiguousarray(array)).reshape(kept.shape))
        for group in self.param_groups:
            group["iteration"] = iteration

    def _gradient(self, group: dict[str, Any]) -> Tensor | None:
        """None for a blob that never moves. One the loss does not depend on has gradient 0, and decays all the same.

        A sparse one, as of tables of vectors, is written out.
        """
        value, = group["params"]
        if not value.requires_grad:
            return None
        if value.grad is None:
            return torch.zeros_like(value)
        return value.grad.to_dense() if value.grad.is_sparse else value.grad

    def _clipping(self, gradients: Sequence[Tensor]) -> float:
        """The factor that brings the length of all gradients together down to `clip_gradients`; below 0 is no limit."""
        limit = self.spec.clip_gradients
        if limit < 0:
            return 1.0
        length = math.sqrt(sum(float(gradient.double().square().sum()) for gradient in gradients))
        return limit / length if length > limit else 1.0

    def _regularised(self, gradient: Tensor, value: Tensor, group: dict[str, Any]) -> Tensor:
        decay = self.spec.weight_decay * group["decay_mult"]
        if not decay:
            return gradient
        return gradient.add(value if self.spec.regularization_type == "L2" else value.sign(), alpha=decay)
