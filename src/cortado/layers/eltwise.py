"""Eltwise: blobs of one shape, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import reduce

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types


class EltwiseOperation(Enum):
    """What the values of one place become."""

    PROD = 0
    SUM = 1
    MAX = 2


@dataclass(frozen=True, kw_only=True)
class EltwiseParameters:
    """Caffe's EltwiseParameter; `coeff` has a factor for each bottom of a SUM. Both gradients of PROD are stable."""

    operation: EltwiseOperation = EltwiseOperation.SUM
    coeff: tuple[float, ...] = ()
    stable_prod_grad: bool = True

    def __post_init__(self) -> None:
        if self.coeff and self.operation is not EltwiseOperation.SUM:
            raise FieldError("coeff", f"must be given with operation: SUM only, not {self.operation.name}")


@layer_types.register("Eltwise")
class Eltwise(UntrainedLayer):
    """The sum (each bottom times its `coeff`, 1 where there is none), product or maximum of bottoms of one shape."""

    parameters_type = EltwiseParameters
    parameters_field = "eltwise_param"
    bottom_counts = range(2, 1025)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        coefficients = spec.parameters.coeff
        if coefficients and len(coefficients) != len(bottoms):
            raise spec.error(f"coeff must have one value for each of {len(bottoms)} bottoms, not {len(coefficients)}")
        for index, bottom in enumerate(bottoms):
            if bottom != bottoms[0]:
                raise spec.error(f"bottom {index} '{spec.bottoms[index]}' must have the shape {bottoms[0]} of bottom "
                                 f"'{spec.bottoms[0]}', not {bottom}")
        return bottoms[:1]

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return spec.parameters.operation is EltwiseOperation.MAX

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        match parameters.operation:
            case EltwiseOperation.SUM:
                if parameters.coeff:
                    bottoms = tuple(bottom * coefficient
                                    for bottom, coefficient in zip(bottoms, parameters.coeff, strict=True))
                return (reduce(torch.add, bottoms),)
            case EltwiseOperation.PROD:
                return (reduce(torch.mul, bottoms),)
            case EltwiseOperation.MAX:
                return (reduce(torch.maximum, bottoms),)
