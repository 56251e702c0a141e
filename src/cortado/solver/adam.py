"""Adam: running means of the gradient and its square, corrected for their start at 0."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from cortado.solver.update_rule import UpdateRule, update_rules


@update_rules.register("Adam")
class Adam(UpdateRule):
    """m <- a m + (1 - a) g, v <- b v + (1 - b) g**2, w <- w - rate c m / (sqrt(v) + delta).

    a and b are `momentum` and `momentum2`, c = sqrt(1 - b**t) / (1 - a**t) with t from 1. `torch.optim.Adam` corrects v
    before it adds its epsilon, so the two differ by a factor in it. Sources: Kingma & Ba 2015, section 2, the form at
    its end; Caffe's `adam_solver.cpp`.
    """

    histories = 2

    def amount(self, gradient: Tensor, history: Sequence[Tensor], rate: float, iteration: int) -> Tensor:
        first, second = self.spec.momentum, self.spec.momentum2
        mean, square = history
        mean.mul_(first).add_(gradient, alpha=1 - first)
        square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        count = iteration + 1
        correction = math.sqrt(1 - second**count) / (1 - first**count)
        return rate * correction * mean / (square.sqrt() + self.spec.delta)
