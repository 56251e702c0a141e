"""AbsVal: the magnitude."""

from __future__ import annotations

from torch import Tensor

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, NoParameters, layer_types


@layer_types.register("AbsVal")
class AbsVal(ElementwiseLayer):
    """|x|, any shape."""

    parameters_type = NoParameters
    parameters_field = "absval_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        # The magnitude of the least integer of a format is no integer of that format.
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        return (bottoms[0].abs(),)
