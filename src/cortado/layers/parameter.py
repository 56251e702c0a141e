"""Parameter: a trained blob as a top."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.input import BlobShape
from cortado.layers.layer import Layer, layer_types


@dataclass(frozen=True, kw_only=True)
class ParameterParameters:
    """Caffe's ParameterParameter."""

    shape: BlobShape = field(default_factory=lambda: BlobShape(dim=(1,)))


@layer_types.register("Parameter")
class Parameter(Layer):
    """Its one blob, of `shape`. Caffe has no filler for it: it begins at 0. Source: `parameter_layer.hpp`."""

    parameters_type = ParameterParameters
    parameters_field = "parameter_param"
    bottom_counts = range(1)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(spec.parameters.shape.dim),)

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return (TensorShape(spec.parameters.shape.dim),)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def fillers(cls, spec: LayerSpec) -> tuple[Filler, ...]:
        return (Filler(),)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        # A view: the blob itself must not be changed in place by whoever reads the top.
        return (self.blobs[0].view_as(self.blobs[0]),)
