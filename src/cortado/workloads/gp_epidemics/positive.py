"""Hyper-parameters that stay positive: the trained value is their softplus's argument, as in gpflow."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional


def positive(trained: Tensor, *, bound: float = 0.0) -> Tensor:
    """bound + log(1 + exp(trained))."""
    return bound + functional.softplus(trained)


def trained_of(value: float, *, bound: float = 0.0) -> float:
    """The trained value whose `positive` is `value`, which is above the bound."""
    above = value - bound
    return above + math.log(-math.expm1(-above))
