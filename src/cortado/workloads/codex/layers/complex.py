"""ComplEx: vectors of complex numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


def complex_halves(spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
    """How many complex numbers the vectors of all bottoms have; `LayerError` where they differ or are odd."""
    widths = {bottom.dims[-1] for bottom in bottoms}
    if len(widths) != 1 or min(widths) % 2:
        raise spec.error("all bottoms must have vectors of one even length, real parts before imaginary ones, not of "
                         f"{', '.join(map(str, sorted(widths)))}")
    return widths.pop() // 2


@layer_types.register("ComplEx")
class ComplEx(UntrainedLayer):
    """The product of an entity's and a relation's vector, whose dot product with an answer's is the score.

    Re <h, r, conj(t)> is (h r) . t with real parts before imaginary ones in each vector: (N, 2 k), (N, 2 k) ->
    (N, 2 k). Source: Trouillon et al. 2016, "Complex Embeddings for Simple Link Prediction", equations 9 to 11.
    """

    parameters_type = NoParameters
    parameters_field = "complex_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        complex_halves(spec, bottoms)
        return bottoms[:1]

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 2 * bottoms[0].count

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        (real, imaginary), (relation_real, relation_imaginary) = (bottom.chunk(2, -1) for bottom in bottoms)
        return (torch.cat([real * relation_real - imaginary * relation_imaginary,
                           real * relation_imaginary + imaginary * relation_real], -1),)
