"""GaussianPosterior: what a Gaussian process says at other times, after noisy values."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import layer_types
from cortado.workloads.gp_epidemics.layers.marginal_likelihood import NoisyLayer


@layer_types.register("GaussianPosterior")
class GaussianPosterior(NoisyLayer):
    """m* = K* (K + sigma**2 I)^-1 y and the diagonal of K** - K* (K + sigma**2 I)^-1 K*^T, without the noise.

    Bottoms: covariance K (n, n), K* (m, n), K** (m, m), values y (n,). Tops: mean (m,), variance (m,). Source: the
    paper, Proposition 3; Rasmussen & Williams 2006, algorithm 2.1.
    """

    bottom_counts = range(4, 5)
    top_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        covariance, cross, prior, values = bottoms
        ahead = prior.dims[:1]
        if values.rank != 1 or covariance.dims != values.dims * 2 or prior.dims != ahead * 2 \
                or cross.dims != ahead + values.dims:
            raise spec.error(f"bottoms must be covariances n x n, m x n and m x m and n values, not {covariance}, "
                             f"{cross}, {prior} and {values}")
        return (TensorShape(ahead), TensorShape(ahead))

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        points = bottoms[3].count
        return points**3 // 6 + points**2 * bottoms[2].dims[0] // 2

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        covariance, cross, prior, values = bottoms
        factor = self.cholesky(covariance)
        weights = torch.cholesky_solve(values[:, None], factor)
        whitened = torch.linalg.solve_triangular(factor, cross.T, upper=False)
        return (cross @ weights)[:, 0], prior.diagonal() - whitened.square().sum(0)
