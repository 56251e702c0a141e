"""Nesterov: momentum that looks ahead."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cortado.solver.update_rule import UpdateRule, update_rules


@update_rules.register("Nesterov")
class Nesterov(UpdateRule):
    """h' = momentum h + rate g, w <- w - ((1 + momentum) h' - momentum h). Source: Caffe's `nesterov_solver.cpp`."""

    def amount(self, gradient: Tensor, history: Sequence[Tensor], rate: float, iteration: int) -> Tensor:
        momentum, before = self.spec.momentum, history[0].clone()
        history[0].mul_(momentum).add_(gradient, alpha=rate)
        return (1 + momentum) * history[0] - momentum * before
