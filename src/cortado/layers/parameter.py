"""Parameter: trained values as a blob of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.layer import Layer, layer_types


@dataclass(frozen=True, kw_only=True)
class ParameterShape:
    """Caffe's BlobShape; none is a scalar."""

    dim: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ParameterParameters:
    """Caffe's ParameterParameter."""

    shape: ParameterShape = field(default_factory=ParameterShape)


@layer_types.register("Parameter")
class Parameter(Layer):
    """Its one blob is its top, as Caffe's `parameter_layer.hpp`; it does not depend on the batch.

    Caffe has no filler for it: it begins at 0.
    """

    parameters_type = ParameterParameters
    parameters_field = "parameter_param"
    bottom_counts = range(1)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(spec.parameters.shape.dim),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return cls.top_shapes(spec, bottoms)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return (Filler(),)

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Standard normal values: what they are for is not known here."""
        return tuple(generator.standard_normal(shape.dims).astype(np.float32) for shape in shapes)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        # A copy, so that the top is a value like any other: what is done to it does not change the blob.
        return (self.blobs[0].clone(),)
