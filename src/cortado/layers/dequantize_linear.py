"""DequantizeLinear: whole numbers of few bits as the real values they stand for."""

from __future__ import annotations

from torch import Tensor

from cortado.layers.layer import layer_types
from cortado.layers.quantize_linear import LinearScaleLayer


@layer_types.register("DequantizeLinear")
class DequantizeLinear(LinearScaleLayer):
    """(x - zero point) * scale as `element`, of any bottom.

    Blobs: scale, zero point. Source: ONNX, DequantizeLinear.
    """

    parameters_field = "dequantize_linear_param"

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        element = self.spec.parameters.element.torch
        scale, zero_point = self.spread_blobs(bottoms[0])
        # Both in float32 at least; the difference of whole numbers is exact in double.
        return (((bottoms[0].double() - zero_point).to(scale.dtype if element.itemsize < 8 else element)
                 * scale).to(element),)
