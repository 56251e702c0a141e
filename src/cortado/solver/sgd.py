"""SGD: the gradient with momentum."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cortado.solver.update_rule import UpdateRule, update_rules


@update_rules.register("SGD")
class SGD(UpdateRule):
    """h <- momentum h + rate g, w <- w - h. Source: Caffe's `sgd_solver.cpp`.

    `torch.optim.SGD` has the rate outside of h: the two differ as soon as the rate changes.
    """

    def amount(self, gradient: Tensor, history: Sequence[Tensor], rate: float, iteration: int) -> Tensor:
        return history[0].mul_(self.spec.momentum).add_(gradient, alpha=rate)
