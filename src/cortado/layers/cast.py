"""Cast: the same values as another element type."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.graph.spec import LayerSpec
from cortado.layers.element_type import ElementType, cast
from cortado.layers.layer import ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class CastParameters:
    """What the values become; `saturate` is about types of 8 bits with fractions."""

    to: ElementType
    saturate: bool = True


@layer_types.register("Cast")
class Cast(ElementwiseLayer):
    """The values as another element type, as ONNX's Cast: fractions are cut off, BOOL is whether a value is not 0."""

    parameters_type = CastParameters
    parameters_field = "cast_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (cast(bottoms[0], self.spec.parameters.to, saturate=self.spec.parameters.saturate),)
