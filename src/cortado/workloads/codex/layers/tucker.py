"""TuckER: one core tensor that every relation's vector makes a matrix of."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types


@dataclass(frozen=True, kw_only=True)
class TuckERParameters:
    """How the core tensor is filled."""

    weight_filler: Filler = field(default_factory=Filler)


@layer_types.register("TuckER")
class TuckER(Layer):
    """The core tensor times a relation's and an entity's vector; its dot product with an answer's is the score.

    Bottoms: (N, k) and (N, l); top (N, k). Blob: the core, (l k, k), row r k + h for number r of the relation and h of
    the entity. Source: Balazevic et al. 2019, "TuckER: Tensor Factorization for Knowledge Graph Completion",
    equation 4.
    """

    parameters_type = TuckERParameters
    parameters_field = "tucker_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return bottoms[:1]

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        entity, relation = (bottom.dims[-1] for bottom in bottoms)
        return (TensorShape((relation * entity, entity)),)

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return (spec.parameters.weight_filler,)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[0].count * bottoms[1].dims[-1] * bottoms[0].dims[-1]

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        entity, relation = bottoms
        # The outer product first: it is smaller than a matrix for every query.
        return (torch.einsum("nr,nh->nrh", relation, entity).flatten(1) @ self.blobs[0],)
