"""SquaredExponential: how alike a Gaussian process is at two times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types
from cortado.workloads.gp_epidemics.positive import positive, trained_of

# In days. Far below any distance of two points, and far from where distances over it overflow.
SHORTEST_LENGTH = 1e-6


@dataclass(frozen=True, kw_only=True)
class SquaredExponentialParameters:
    """Where training begins: `variance` is alpha**2, `length` is beta, in days."""

    variance: float = 1.0
    length: float = 1.0

    def __post_init__(self) -> None:
        for name, bound in (("variance", 0), ("length", SHORTEST_LENGTH)):
            if getattr(self, name) <= bound:
                raise FieldError(name, f"must be above {bound}, not {getattr(self, name)}")


@layer_types.register("SquaredExponential")
class SquaredExponential(Layer):
    """k(a, b) = alpha**2 exp(-(a - b)**2 / (2 beta**2)), times (n,) and (m,) -> (n, m), or (n,) -> (n, n).

    Blobs: what `positive` makes alpha**2 and beta of, (1,) each. Source: Rasmussen & Williams 2006, equation 4.9.
    """

    parameters_type = SquaredExponentialParameters
    parameters_field = "squared_exponential_param"
    bottom_counts = range(1, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        for name, shape in zip(spec.bottoms, bottoms, strict=True):
            if shape.rank != 1:
                raise spec.error(f"bottom '{name}' must be times, of one dimension, not {shape}")
        return (TensorShape((bottoms[0].dims[0], bottoms[-1].dims[0])),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape((1,)), TensorShape((1,)))

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return bottoms[0].count * bottoms[-1].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        parameters = spec.parameters
        return (Filler(value=trained_of(parameters.variance)),
                Filler(value=trained_of(parameters.length, bound=SHORTEST_LENGTH)))

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        return cls.filled_blobs(spec, shapes, generator)

    @property
    def variance(self) -> Tensor:
        """alpha**2, (1,)."""
        return positive(self.blobs[0])

    @property
    def length(self) -> Tensor:
        """beta in days, (1,)."""
        return positive(self.blobs[1], bound=SHORTEST_LENGTH)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        distances = (bottoms[0][:, None] - bottoms[-1]) / self.length
        return (self.variance * (-distances.square() / 2).exp(),)
