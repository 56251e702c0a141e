"""Dropout: zeros a random share of values while training."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class DropoutParameters:
    """Caffe's DropoutParameter."""

    dropout_ratio: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.dropout_ratio < 1:
            raise FieldError("dropout_ratio", f"must be at least 0 and below 1, not {self.dropout_ratio}")


@layer_types.register("Dropout")
class Dropout(ElementwiseLayer):
    """Drops each value with probability `dropout_ratio` and scales the others up; the identity outside training."""

    parameters_type = DropoutParameters
    parameters_field = "dropout_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (functional.dropout(bottoms[0], self.spec.parameters.dropout_ratio, self.training),)
