"""Silence: a reader for blobs nobody needs."""

from __future__ import annotations

from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import NoParameters, UntrainedLayer, layer_types


@layer_types.register("Silence")
class Silence(UntrainedLayer):
    """No top: a blob read by it is no output of the network."""

    parameters_type = NoParameters
    parameters_field = "silence_param"
    bottom_counts = range(1, 1025)
    top_counts = range(1)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        return ()

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return ()
