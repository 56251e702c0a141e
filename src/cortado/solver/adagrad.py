"""AdaGrad: a rate for each value, from the sum of its squared gradients."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cortado.solver.update_rule import UpdateRule, update_rules


@update_rules.register("AdaGrad")
class AdaGrad(UpdateRule):
    """h <- h + g**2, w <- w - rate g / (sqrt(h) + delta).

    Sources: Duchi et al. 2011; Caffe's `adagrad_solver.cpp`.
    """

    def amount(self, gradient: Tensor, history: Sequence[Tensor], rate: float, iteration: int) -> Tensor:
        history[0].addcmul_(gradient, gradient)
        # In place where it can be: large tables of vectors are bound by memory.
        return (rate * gradient).div_(history[0].sqrt().add_(self.spec.delta))
