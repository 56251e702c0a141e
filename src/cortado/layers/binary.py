"""Binary: a function of two blobs, value by value, broadcast as NumPy does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.broadcast import broadcast_shape
from cortado.layers.layer import UntrainedLayer, layer_types


class BinaryOperation(Enum):
    """What two values become."""

    ADD = 0
    SUB = 1
    MUL = 2
    DIV = 3
    POW = 4
    MIN = 5
    MAX = 6
    MOD = 7
    """The remainder with the sign of the divisor."""
    FMOD = 8
    """The remainder with the sign of the dividend."""
    EQUAL = 9
    LESS = 10
    LESS_OR_EQUAL = 11
    GREATER = 12
    GREATER_OR_EQUAL = 13
    AND = 14
    OR = 15
    XOR = 16
    PRELU = 17
    """The first where it is at least 0, else the product: PReLU with any slopes."""

    @property
    def compares(self) -> bool:
        """Whether the results are truth values."""
        return self in _COMPARISONS


_COMPARISONS = (BinaryOperation.EQUAL, BinaryOperation.LESS, BinaryOperation.LESS_OR_EQUAL, BinaryOperation.GREATER,
                BinaryOperation.GREATER_OR_EQUAL)


@dataclass(frozen=True, kw_only=True)
class BinaryParameters:
    """Which function it is."""

    operation: BinaryOperation


@layer_types.register("Binary")
class Binary(UntrainedLayer):
    """A function of two bottoms whose shapes NumPy's rule makes one; whole numbers wrap and divide towards zero.

    A power has the first bottom's element type, every other function asks for one element type.
    """

    parameters_type = BinaryParameters
    parameters_field = "binary_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (broadcast_shape(spec, bottoms),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        operation = self.spec.parameters.operation
        # Another batch may have come than a constant of the file was for.
        broadcast_shape(self.spec, tuple(TensorShape(tuple(bottom.shape)) for bottom in bottoms))
        one, other = (_computable(bottom) for bottom in bottoms)
        if bottoms[0].dtype is torch.uint64:
            if operation in (BinaryOperation.DIV, BinaryOperation.MOD, BinaryOperation.FMOD, BinaryOperation.POW):
                if min(int(one.min()), int(other.min())) < 0:
                    raise self.spec.error("UINT64 must be below 2**63 to be divided or raised to a power")
            elif operation.compares or operation in (BinaryOperation.MIN, BinaryOperation.MAX):
                # With its first bit turned over a number of 64 bits is ordered as if it had a sign.
                one, other = (value ^ -2**63 for value in (one, other))
        result = _FUNCTIONS[operation](one, other)
        if operation.compares:
            return (result,)
        if bottoms[0].dtype is torch.uint64 and operation in (BinaryOperation.MIN, BinaryOperation.MAX):
            result = result ^ -2**63
        return (_as_element(result, bottoms[0].dtype),)


def _computable(value: Tensor) -> Tensor:
    """Torch computes with few of the types without a sign."""
    if value.dtype in (torch.uint16, torch.uint32):
        return value.to(torch.int64)
    return value.view(torch.int64) if value.dtype is torch.uint64 else value


def _as_element(value: Tensor, element: torch.dtype) -> Tensor:
    if element is torch.uint64 and value.dtype is torch.int64:
        return value.view(torch.uint64)
    return value.to(element)


def _quotient(one: Tensor, other: Tensor) -> Tensor:
    return one / other if one.is_floating_point() else torch.div(one, other, rounding_mode="trunc")


def _power(one: Tensor, other: Tensor) -> Tensor:
    if one.dtype is other.dtype:
        return one.pow(other)
    if one.is_floating_point():
        return one.pow(other.to(one.dtype))
    return one.to(torch.float64).pow(other.to(torch.float64))


_FUNCTIONS: dict[BinaryOperation, Callable[[Tensor, Tensor], Tensor]] = {
    BinaryOperation.ADD: torch.add, BinaryOperation.SUB: torch.sub, BinaryOperation.MUL: torch.mul,
    BinaryOperation.DIV: _quotient, BinaryOperation.POW: _power, BinaryOperation.MIN: torch.minimum,
    BinaryOperation.MAX: torch.maximum, BinaryOperation.MOD: torch.remainder, BinaryOperation.FMOD: torch.fmod,
    BinaryOperation.EQUAL: torch.eq, BinaryOperation.LESS: torch.lt, BinaryOperation.LESS_OR_EQUAL: torch.le,
    BinaryOperation.GREATER: torch.gt, BinaryOperation.GREATER_OR_EQUAL: torch.ge,
    BinaryOperation.AND: torch.logical_and, BinaryOperation.OR: torch.logical_or,
    BinaryOperation.XOR: torch.logical_xor,
    BinaryOperation.PRELU: lambda one, other: torch.where(one >= 0, one, one * other),
}
