"""Scale: a factor, and optionally a summand, for each channel or other span of axes."""

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
class ScaleParameters:
    """Caffe's ScaleParameter."""

    axis: int = 1
    num_axes: int = 1
    filler: Filler = field(default_factory=lambda: Filler(value=1.0))
    bias_term: bool = False
    bias_filler: Filler = field(default_factory=Filler)

    def __post_init__(self) -> None:
        if self.num_axes < -1:
            raise FieldError("num_axes", f"must be at least 0, or -1 for all, not {self.num_axes}")


@layer_types.register("Scale")
class Scale(Layer):
    """x * gamma + beta, of the bottom's shape, as Caffe's `scale_layer.cpp`.

    gamma has the dimensions of the bottom from `axis` on, `num_axes` of them. Blobs: gamma, unless it is the second
    bottom (whose own rank then counts, not `num_axes`); beta of the same shape where `bias_term` is true.
    """

    parameters_type = ScaleParameters
    parameters_field = "scale_param"
    bottom_counts = range(1, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if len(bottoms) == 2:
            check_span(spec, bottoms, spec.parameters.axis)
        return bottoms[:1]

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        if len(bottoms) == 2:
            return (bottoms[1],) if parameters.bias_term else ()
        shape = span_shape(spec, bottoms[0], parameters.axis, parameters.num_axes)
        return (shape, shape) if parameters.bias_term else (shape,)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """gamma 1, beta 0."""
        own_gamma = len(spec.bottoms) == 1
        return tuple(np.full(shape.dims, 1 if own_gamma and index == 0 else 0, np.float32)
                     for index, shape in enumerate(shapes))

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        own = (spec.parameters.filler,) if len(spec.bottoms) == 1 else ()
        return (*own, spec.parameters.bias_filler)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        axis, rank = self.spec.parameters.axis, bottoms[0].dim()
        gamma = bottoms[1] if len(bottoms) == 2 else self.blobs[0]
        scaled = bottoms[0] * spread(gamma, axis, rank)
        return (scaled + spread(self.blobs[-1], axis, rank) if self.spec.parameters.bias_term else scaled,)
