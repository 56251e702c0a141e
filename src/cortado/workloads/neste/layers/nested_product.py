"""NestedProduct: what a triple and a nested relation say of the triple at the other end."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.workloads.neste.algebra import COMPONENTS, normalised
from cortado.workloads.neste.layers.hypercomplex_product import Asked, ProductParameters, check_offset


@layer_types.register("NestedProduct")
class NestedProduct(UntrainedLayer):
    """The vector whose dot product with a candidate fact is the score of the nested fact with it.

    A fact is n parts one after the other, (N, n 4 k): head, relation, tail, and with translations those of the
    relation before the tail. The nested relation is an n x n matrix of vectors of k numbers, (N, 4 n n k), each number
    over its length: R'. The score of (F, R, G) is the sum over j of <sum over i of (F_i + P_i) R'_ji, G_j>. Bottoms:
    the known fact, R, and the translation P, (N, 4 n k), where there is one. Tops as of HypercomplexProduct. Source:
    Xiong et al. 2024, equations 5 to 8; the order of the indices is that of the authors' code.
    """

    parameters_type = ProductParameters
    parameters_field = "product_param"
    bottom_counts = range(2, 4)
    top_counts = range(1, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        fact, relation = bottoms[0].dims[-1], bottoms[1].dims[-1]
        if relation % fact or fact % (COMPONENTS * (relation // fact)):
            raise spec.error(f"the nested relation must have n times the numbers of a fact, which has n parts of "
                             f"{COMPONENTS} k, not {relation} for {fact}")
        if len(bottoms) > 2 and bottoms[2].dims[-1] != fact:
            raise spec.error(f"the translation must have the {fact} numbers of a fact, not {bottoms[2].dims[-1]}")
        check_offset(spec, 2)
        return (bottoms[0], TensorShape(bottoms[0].dims[:1]))[:len(spec.tops)]

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return COMPONENTS * bottoms[1].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        fact, relation, *translation = bottoms
        parts = relation.shape[1] // fact.shape[1]
        # (N, n, 4, k), and the nested relation (N, 4, n, n, k) -> (N, 4, 4, n, n, k).
        known = fact.unflatten(1, (parts, COMPONENTS, -1))
        matrix = self.spec.parameters.algebra.matrix(
            normalised(relation.unflatten(1, (COMPONENTS, parts, parts, -1))))
        moves = [given.unflatten(1, (COMPONENTS, parts, -1)).transpose(1, 2) for given in translation]
        if self.spec.parameters.asked is Asked.TAIL:
            moved = known + moves[0] if moves else known
            return (torch.einsum("ncajik,niak->njck", matrix, moved).flatten(1),)
        vector = torch.einsum("ncajik,njck->niak", matrix, known)
        offsets = ((vector * moves[0]).sum((1, 2, 3)),) if moves else ()
        return (vector.flatten(1), *offsets)
