"""Bias: a summand for each channel or other span of axes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types
from cortado.layers.span import check_span, span_shape, spread


@dataclass(frozen=True, kw_only=True)
class BiasParameters:
    """Caffe's BiasParameter."""

    axis: int = 1
    num_axes: int = 1
    filler: Filler = field(default_factory=Filler)

    def __post_init__(self) -> None:
        if self.num_axes < -1:
            raise FieldError("num_axes", f"must be at least 0, or -1 for all, not {self.num_axes}")


@layer_types.register("Bias")
class Bias(Layer):
    """x + beta, of the bottom's shape, as Caffe's `bias_layer.cpp`.

    beta has the dimensions of the bottom from `axis` on, `num_axes` of them; it is the one blob, or the second bottom
    (whose own rank then counts, not `num_axes`).
    """

    parameters_type = BiasParameters
    parameters_field = "bias_param"
    bottom_counts = range(1, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if len(bottoms) == 2:
            check_span(spec, bottoms, spec.parameters.axis)
        return bottoms[:1]

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if len(bottoms) == 2:
            return ()
        return (span_shape(spec, bottoms[0], spec.parameters.axis, spec.parameters.num_axes),)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """beta 0."""
        return tuple(np.zeros(shape.dims, np.float32) for shape in shapes)

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return (spec.parameters.filler,)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        beta = bottoms[1] if len(bottoms) == 2 else self.blobs[0]
        return (bottoms[0] + spread(beta, self.spec.parameters.axis, bottoms[0].dim()),)
