"""FactCompression: a triple as one vector, as BiVE has it."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, NoParameters, layer_types
from cortado.workloads.neste.algebra import COMPONENTS

PARTS = 3


@layer_types.register("FactCompression")
class FactCompression(Layer):
    """Head, relation and tail through one linear map a component: (..., 3 4 k) -> (..., 4 k).

    Blob: (4, k, 3 k), filled uniformly up to sqrt(6 / (4 k)) either way. Source: Chung & Whang 2023, equation 3.
    """

    parameters_type = NoParameters
    parameters_field = "compression_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        *outer, width = bottoms[0].dims
        if width % (PARTS * COMPONENTS):
            raise spec.error(f"the bottom must have {PARTS} parts of {COMPONENTS} k numbers, not {width}")
        return (TensorShape((*outer, width // PARTS)),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        numbers = bottoms[0].dims[-1] // (PARTS * COMPONENTS)
        return (TensorShape((COMPONENTS, numbers, PARTS * numbers)),)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[0].count * bottoms[0].dims[-1] // (PARTS * COMPONENTS)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return ()

    @classmethod
    def filled_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        # Glorot & Bengio 2010, equation 16, for each of the four maps.
        limit = math.sqrt(6 / sum(shapes[0].dims[1:]))
        return (generator.uniform(-limit, limit, shapes[0].dims).astype(np.float32),)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        # (..., 3, 4, k) -> (4, ..., 3 k), a map for each component.
        parts = bottoms[0].unflatten(-1, (PARTS, COMPONENTS, -1)).movedim(-2, 0).flatten(-2)
        compressed = [functional.linear(part, weight) for part, weight in zip(parts, self.blobs[0], strict=True)]
        return (torch.cat(compressed, -1),)
