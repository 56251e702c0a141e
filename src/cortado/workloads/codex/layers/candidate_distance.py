"""CandidateDistance: NegativeDistance for candidates of each query's own."""

from __future__ import annotations

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types
from cortado.workloads.codex.layers.candidate_product import candidate_shape
from cortado.workloads.codex.layers.negative_distance import SMALLEST_SQUARE


@layer_types.register("CandidateDistance")
class CandidateDistance(UntrainedLayer):
    """Minus the Euclidean distance from each query to its own candidates: (N, k), (N, K, k) -> (N, K)."""

    parameters_type = NoParameters
    parameters_field = "candidate_distance_param"
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
        squares = (candidates - query[:, None]).square().sum(2)
        return (-squares.clamp(min=SMALLEST_SQUARE).sqrt(),)
