"""NegativeDistance: the nearer an answer, the better."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types

# Of a squared distance: its root has no slope at 0.
SMALLEST_SQUARE = 1e-12


@dataclass(frozen=True, kw_only=True)
class DistanceParameters:
    """`num_output` vectors, and how they are filled."""

    num_output: int
    weight_filler: Filler = field(default_factory=Filler)

    def __post_init__(self) -> None:
        if self.num_output < 1:
            raise FieldError("num_output", f"must be at least 1, not {self.num_output}")


@layer_types.register("NegativeDistance")
class NegativeDistance(Layer):
    """Minus the Euclidean distance from each query to each row of its blob: (N, k) -> (N, num_output).

    Blob: (num_output, k). With h + r as the query it is the score of TransE. Source: Bordes et al. 2013, equation 1.
    """

    parameters_type = DistanceParameters
    parameters_field = "distance_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape((bottoms[0].dims[0], spec.parameters.num_output)),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape((spec.parameters.num_output, bottoms[0].dims[-1])),)

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return (spec.parameters.weight_filler,)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[0].count * spec.parameters.num_output

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        query, vectors = bottoms[0], self.blobs[0]
        # One matrix product in place of N num_output k differences.
        squares = torch.addmm(vectors.square().sum(1), query, vectors.T, alpha=-2)
        squares = squares + query.square().sum(1, keepdim=True)
        return (-squares.clamp(min=SMALLEST_SQUARE).sqrt(),)
