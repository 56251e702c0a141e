"""RMSProp: a rate for each value, from the running mean of its squared gradients."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cortado.solver.update_rule import UpdateRule, update_rules


@update_rules.register("RMSProp")
class RMSProp(UpdateRule):
    """h <- d h + (1 - d) g**2, w <- w - rate g / (sqrt(h) + delta), with d `rms_decay`.

    Sources: Tieleman & Hinton 2012; Caffe's `rmsprop_solver.cpp`.
    """

    def amount(self, gradient: Tensor, history: Sequence[Tensor], rate: float, iteration: int) -> Tensor:
        decay = self.spec.rms_decay
        history[0].mul_(decay).addcmul_(gradient, gradient, value=1 - decay)
        return rate * gradient / (history[0].sqrt() + self.spec.delta)
