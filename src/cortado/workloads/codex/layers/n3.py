"""N3: the nuclear 3-norm as a penalty on factors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.workloads.codex.layers.complex import complex_halves


@dataclass(frozen=True, kw_only=True)
class N3Parameters:
    """`complex`: whether each vector holds real parts, then imaginary ones, so that a modulus is of both."""

    complex: bool = False


@layer_types.register("N3")
class N3(UntrainedLayer):
    """The sum of the cubed moduli of all bottoms, over the batch size; a scalar, to be given a loss weight.

    Bottoms: vectors (N, ...) of the entity, the relation and the answer of each query. Source: Lacroix et al. 2018,
    equation 6, weighted as they sum it over the examples.
    """

    parameters_type = N3Parameters
    parameters_field = "n3_param"
    bottom_counts = range(1, 4)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if spec.parameters.complex:
            complex_halves(spec, bottoms)
        return (TensorShape(()),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (torch.stack([_cubes(bottom, self.spec.parameters.complex) / len(bottom) for bottom in bottoms]).sum(),)


def _cubes(vectors: Tensor, is_complex: bool) -> Tensor:
    if not is_complex:
        return (vectors.square() * vectors.abs()).sum()
    real, imaginary = vectors.chunk(2, -1)
    # The root has no gradient at 0, where that of its cube is 0.
    return (real.square() + imaginary.square()).clamp(min=torch.finfo(vectors.dtype).tiny).pow(1.5).sum()
