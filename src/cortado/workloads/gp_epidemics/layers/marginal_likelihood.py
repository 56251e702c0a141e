"""MarginalLikelihood: how well a Gaussian process explains noisy values; the loss of its hyper-parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types
from cortado.workloads.gp_epidemics.positive import positive, trained_of


@dataclass(frozen=True, kw_only=True)
class NoiseParameters:
    """The variance of the noise: where training begins, and what it stays above."""

    variance: float = 1.0
    lower_bound: float = 1e-6

    def __post_init__(self) -> None:
        if self.lower_bound <= 0:
            raise FieldError("lower_bound", f"must be above 0, not {self.lower_bound}")
        if self.variance <= self.lower_bound:
            raise FieldError("variance", f"must be above lower_bound, {self.lower_bound}, not {self.variance}")


class NoisyLayer(Layer):
    """What the layer types share that know the noise of the observed values. Blob: what `positive` makes its variance
    of, (1,).
    """

    parameters_type = NoiseParameters
    parameters_field = "noise_param"

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape((1,)),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        parameters = spec.parameters
        return (Filler(value=trained_of(parameters.variance, bound=parameters.lower_bound)),)

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        return cls.filled_blobs(spec, shapes, generator)

    @property
    def noise_variance(self) -> Tensor:
        """sigma**2, (1,)."""
        return positive(self.blobs[0], bound=self.spec.parameters.lower_bound)

    def cholesky(self, covariance: Tensor) -> Tensor:
        """The lower factor of covariance + sigma**2 I, (n, n); raises `LayerError` where it has none."""
        noisy = covariance + self.noise_variance * torch.eye(len(covariance), dtype=covariance.dtype)
        factor, info = torch.linalg.cholesky_ex(noisy)
        if int(info):
            raise self.spec.error("the covariance must be positive definite, in its numbers' precision it is not; "
                                  "raise lower_bound")
        return factor


@layer_types.register("MarginalLikelihood")
class MarginalLikelihood(NoisyLayer):
    """-log p(y) = y^T (K + sigma**2 I)^-1 y / 2 + log det(K + sigma**2 I) / 2 + n log(2 pi) / 2.

    Covariance K (n, n) and values y (n,) -> scalar. By Cholesky, without an inverse. Source: Rasmussen & Williams 2006,
    equation 2.30 and algorithm 2.1.
    """

    bottom_counts = range(2, 3)
    default_loss_weights = (1.0,)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        covariance, values = bottoms
        if values.rank != 1 or covariance.dims != values.dims * 2:
            raise spec.error(f"bottoms must be a covariance n x n and n values, not {covariance} and {values}")
        return (TensorShape(()),)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[1].count**3 // 6

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        covariance, values = bottoms
        factor = self.cholesky(covariance)
        whitened = torch.linalg.solve_triangular(factor, values[:, None], upper=False)
        return (whitened.square().sum() / 2 + factor.diagonal().log().sum() + len(values) * math.log(2 * math.pi) / 2,)
