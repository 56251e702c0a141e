"""ReLU: max(x, 0) + negative_slope * min(x, 0)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from cortado.graph.spec import LayerSpec
from cortado.layers.layer import CaffeEngine, ElementwiseLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class ReLUParameters:
    """Caffe's ReLUParameter."""

    negative_slope: float = 0.0
    engine: CaffeEngine = CaffeEngine.DEFAULT


@layer_types.register("ReLU")
class ReLU(ElementwiseLayer):
    """Rectified linear unit, any shape; `negative_slope` makes it leaky."""

    parameters_type = ReLUParameters
    parameters_field = "relu_param"

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return spec.parameters.negative_slope == 0

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        slope = self.spec.parameters.negative_slope
        return (functional.leaky_relu(bottoms[0], slope) if slope else functional.relu(bottoms[0]),)
