"""CandidateProduct: scores of each query's own candidates."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


def candidate_shape(spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> TensorShape:
    """(N, K) for queries (N, k) and candidates (N, K, k); `LayerError` where they do not fit."""
    query, candidates = bottoms
    if query.dims != (candidates.dims[0], *candidates.dims[2:]):
        raise spec.error(f"queries and candidates must be (N, k) and (N, K, k), not {query} and {candidates}")
    return TensorShape(candidates.dims[:2])


@layer_types.register("CandidateProduct")
class CandidateProduct(UntrainedLayer):
    """The dot product of each query with its own candidates: (N, k), (N, K, k) -> (N, K)."""

    parameters_type = NoParameters
    parameters_field = "candidate_product_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (candidate_shape(spec, bottoms),)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[1].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        query, candidates = bottoms
        return (torch.bmm(candidates, query[:, :, None])[:, :, 0],)
