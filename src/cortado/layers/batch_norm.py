"""BatchNorm: every channel with mean 0 and variance 1. Scale and Bias behind it are layers of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types


@dataclass(frozen=True, kw_only=True)
class BatchNormParameters:
    """Caffe's BatchNormParameter; without `use_global_stats` a TEST network uses the stored statistics."""

    use_global_stats: bool | None = None
    moving_average_fraction: float = 0.999
    eps: float = 1e-5

    def __post_init__(self) -> None:
        if not 0 <= self.moving_average_fraction <= 1:
            raise FieldError("moving_average_fraction", f"must be from 0 to 1, not {self.moving_average_fraction}")
        if self.eps < 0:
            raise FieldError("eps", f"must be at least 0, not {self.eps}")


@layer_types.register("BatchNorm")
class BatchNorm(Layer):
    """(x - mean) / sqrt(variance + eps), channel by channel (axis 1), as Caffe's `batch_norm_layer.cpp`.

    Blobs: mean (C,), variance (C,), both times the third, a factor (1,). Mean and variance are the stored ones over
    the factor (0 where that is 0), or those of the batch, which then also move the stored ones. No blob is trained by
    its gradient. Source: Ioffe & Szegedy 2015, algorithm 1 without gamma and beta.
    """

    parameters_type = BatchNormParameters
    parameters_field = "batch_norm_param"

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        for blob in self.blobs:
            blob.requires_grad_(False)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if bottoms[0].rank < 1:
            raise spec.error(f"bottom '{spec.bottoms[0]}' must have at least one dimension, not none")
        return bottoms

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        channels = bottoms[0].dims[1] if bottoms[0].rank > 1 else 1
        return (TensorShape((channels,)), TensorShape((channels,)), TensorShape((1,)))

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Mean 0, variance 1, factor 1: the layer changes little."""
        mean, variance, factor = (shape.dims for shape in shapes)
        return np.zeros(mean, np.float32), np.ones(variance, np.float32), np.ones(factor, np.float32)

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        """Nothing has been seen yet: all zero."""
        return (Filler(),) * 3

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, x = self.spec.parameters, bottoms[0]
        stored = parameters.use_global_stats
        if stored is None:
            stored = not self.training
        mean, variance = self._stored() if stored else self._of_batch(x)
        shape = (1, -1) + (1,) * (x.dim() - 2) if x.dim() > 1 else (1,)
        return ((x - mean.reshape(shape)) / (variance + parameters.eps).sqrt().reshape(shape),)

    def _stored(self) -> tuple[Tensor, Tensor]:
        mean, variance, factor = self.blobs
        share = torch.where(factor == 0, torch.zeros_like(factor), 1 / factor)
        return mean * share, variance * share

    def _of_batch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        channels = x.shape[1] if x.dim() > 1 else 1
        rows = x.transpose(0, 1).reshape(channels, -1) if x.dim() > 1 else x[None]
        count = rows.shape[1]
        mean = rows.mean(1)
        variance = (rows - mean[:, None]).square().mean(1)
        fraction = self.spec.parameters.moving_average_fraction
        with torch.no_grad():
            for blob, seen in zip(self.blobs, (mean, variance * (count / max(count - 1, 1)), 1), strict=True):
                blob.mul_(fraction).add_(seen)
        return mean, variance
