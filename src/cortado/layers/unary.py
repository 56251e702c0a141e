"""Unary: a function of each value by itself that has no layer type of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor
from torch.nn import functional

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types


class UnaryOperation(Enum):
    """What a value becomes."""

    ACOS = 0
    ACOSH = 1
    ASIN = 2
    ASINH = 3
    ATAN = 4
    ATANH = 5
    CEIL = 6
    COS = 7
    COSH = 8
    ERF = 9
    FLOOR = 10
    IS_NAN = 11
    MISH = 12
    NEGATE = 13
    NOT = 14
    RECIPROCAL = 15
    ROUND = 16
    """To the nearest whole number, half to even."""
    SIGN = 17
    SIN = 18
    SINH = 19
    SOFTPLUS = 20
    SOFTSIGN = 21
    TAN = 22


@dataclass(frozen=True, kw_only=True)
class UnaryParameters:
    """Which function it is."""

    operation: UnaryOperation


@layer_types.register("Unary")
class Unary(ElementwiseLayer):
    """A function of each value, any shape. Mish: Misra 2019; Softsign: x / (1 + |x|); Softplus: log(1 + exp(x))."""

    parameters_type = UnaryParameters
    parameters_field = "unary_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (_FUNCTIONS[self.spec.parameters.operation](bottoms[0]),)


_FUNCTIONS: dict[UnaryOperation, Callable[[Tensor], Tensor]] = {
    UnaryOperation.ACOS: torch.acos, UnaryOperation.ACOSH: torch.acosh, UnaryOperation.ASIN: torch.asin,
    UnaryOperation.ASINH: torch.asinh, UnaryOperation.ATAN: torch.atan, UnaryOperation.ATANH: torch.atanh,
    UnaryOperation.CEIL: torch.ceil, UnaryOperation.COS: torch.cos, UnaryOperation.COSH: torch.cosh,
    UnaryOperation.ERF: torch.erf, UnaryOperation.FLOOR: torch.floor, UnaryOperation.IS_NAN: torch.isnan,
    UnaryOperation.MISH: functional.mish, UnaryOperation.NEGATE: torch.neg, UnaryOperation.NOT: torch.logical_not,
    UnaryOperation.RECIPROCAL: torch.reciprocal, UnaryOperation.ROUND: torch.round, UnaryOperation.SIGN: torch.sign,
    UnaryOperation.SIN: torch.sin, UnaryOperation.SINH: torch.sinh, UnaryOperation.SOFTPLUS: functional.softplus,
    UnaryOperation.SOFTSIGN: functional.softsign, UnaryOperation.TAN: torch.tan,
}
