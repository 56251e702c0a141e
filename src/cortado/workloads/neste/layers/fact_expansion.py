"""FactExpansion: FactCompression read the other way round."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import layer_types
from cortado.workloads.neste.algebra import COMPONENTS
from cortado.workloads.neste.layers.fact_compression import PARTS, FactCompression


@layer_types.register("FactExpansion")
class FactExpansion(FactCompression):
    """The vector whose dot product with a fact is that of the bottom with the compressed fact: (N, 4 k) -> (N, 3 4 k).

    Blob: that of FactCompression, which it is to share.
    """

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        *outer, width = bottoms[0].dims
        if width % COMPONENTS:
            raise spec.error(f"the bottom must have {COMPONENTS} k numbers, not {width}")
        return (TensorShape((*outer, PARTS * width)),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        numbers = bottoms[0].dims[-1] // COMPONENTS
        return (TensorShape((COMPONENTS, numbers, PARTS * numbers)),)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[0].count * PARTS * bottoms[0].dims[-1] // COMPONENTS

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        components = bottoms[0].unflatten(-1, (COMPONENTS, -1)).movedim(-2, 0)
        expanded = torch.stack([part @ weight for part, weight in zip(components, self.blobs[0], strict=True)], -2)
        # (..., 4, 3 k) -> (..., 3, 4, k).
        return (expanded.unflatten(-1, (PARTS, -1)).transpose(-2, -3).flatten(-3),)
