"""Reduction: one number for all values from an axis on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types


class ReductionOperation(Enum):
    """What the values become."""

    SUM = 1
    ASUM = 2
    SUMSQ = 3
    MEAN = 4


@dataclass(frozen=True, kw_only=True)
class ReductionParameters:
    """Caffe's ReductionParameter."""

    operation: ReductionOperation = ReductionOperation.SUM
    axis: int = 0
    coeff: float = 1.0


@layer_types.register("Reduction")
class Reduction(UntrainedLayer):
    """`coeff` times the sum, sum of magnitudes, sum of squares or mean over `axis` and all axes behind it.

    (d0, ..., d(axis-1), ...) -> (d0, ..., d(axis-1)), a scalar for axis 0. Source: Caffe's `reduction_layer.cpp`.
    """

    parameters_type = ReductionParameters
    parameters_field = "reduction_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(bottoms[0].dims[:canonical_axis(spec, spec.parameters.axis, bottoms[0].rank)]),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        values = bottoms[0].flatten(canonical_axis(self.spec, parameters.axis, bottoms[0].dim()))
        match parameters.operation:
            case ReductionOperation.SUM:
                reduced = values.sum(-1)
            case ReductionOperation.ASUM:
                reduced = values.abs().sum(-1)
            case ReductionOperation.SUMSQ:
                reduced = values.square().sum(-1)
            case ReductionOperation.MEAN:
                reduced = values.mean(-1)
        return (parameters.coeff * reduced,)
