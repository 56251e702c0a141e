"""RESCAL: a matrix for each relation."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("RESCAL")
class RESCAL(UntrainedLayer):
    """An entity's vector times its relation's matrix, whose dot product with an answer's is the score h^T W t.

    Bottoms: (N, k) and (N, k k), row by row; top (N, k). Source: Nickel et al. 2011, "A Three-Way Model for Collective
    Learning on Multi-Relational Data", equation 1.
    """

    parameters_type = NoParameters
    parameters_field = "rescal_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        width = bottoms[0].dims[-1]
        if bottoms[1].dims[-1] != width**2:
            raise spec.error(f"the relation must have the {width**2} numbers of a matrix for vectors of {width}, not "
                             f"{bottoms[1].dims[-1]}")
        return bottoms[:1]

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[1].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        entity, relation = bottoms
        return (torch.bmm(entity[:, None], relation.unflatten(1, (entity.shape[1], -1)))[:, 0],)
