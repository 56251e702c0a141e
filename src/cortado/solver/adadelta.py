"""AdaDelta: steps in the units of the steps before."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from cortado.solver.update_rule import UpdateRule, update_rules


@update_rules.register("AdaDelta")
class AdaDelta(UpdateRule):
    """h <- m h + (1 - m) g**2, s = g sqrt((u + delta) / (h + delta)), u <- m u + (1 - m) s**2, w <- w - rate s.

    m is `momentum`. Sources: Zeiler 2012, algorithm 1; Caffe's `adadelta_solver.cpp`.
    """

    histories = 2

    def amount(self, gradient: Tensor, history: Sequence[Tensor], rate: float, iteration: int) -> Tensor:
        momentum, delta = self.spec.momentum, self.spec.delta
        gradients, steps = history
        gradients.mul_(momentum).addcmul_(gradient, gradient, value=1 - momentum)
        step = gradient * ((steps + delta) / (gradients + delta)).sqrt()
        steps.mul_(momentum).addcmul_(step, step, value=1 - momentum)
        return rate * step
