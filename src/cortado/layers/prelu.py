"""PReLU: a ReLU whose slope below zero is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types

# Caffe's filler where a file has none.
DEFAULT_SLOPE = 0.25


@dataclass(frozen=True, kw_only=True)
class PReLUParameters:
    """Caffe's PReLUParameter."""

    filler: Filler = field(default_factory=lambda: Filler(value=DEFAULT_SLOPE))
    channel_shared: bool = False


@layer_types.register("PReLU")
class PReLU(Layer):
    """max(x, 0) + slope * min(x, 0), of the bottom's shape. Source: He et al. 2015, equation 1.

    Blob: the slope of each channel (C,), or one for all, a scalar, where `channel_shared` is true.
    """

    parameters_type = PReLUParameters
    parameters_field = "prelu_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if bottoms[0].rank < 2:
            raise spec.error(f"bottom '{spec.bottoms[0]}' must have at least two dimensions (N, C, ...), "
                             f"not {bottoms[0]}")
        return bottoms

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(() if spec.parameters.channel_shared else bottoms[0].dims[1:2]),)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Caffe's slope of 0.25."""
        return tuple(np.full(shape.dims, DEFAULT_SLOPE, np.float32) for shape in shapes)

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return (spec.parameters.filler,)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.prelu(bottoms[0], self.blobs[0].reshape(-1)),)
