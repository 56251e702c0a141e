"""MVN: each picture with mean 0 and variance 1."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types
from cortado.layers.window import picture_dims

# Keeps the gradient of the root finite where all values are equal; far below what a variance can be.
LEAST_VARIANCE = 1e-30


@dataclass(frozen=True, kw_only=True)
class MVNParameters:
    """Caffe's MVNParameter."""

    normalize_variance: bool = True
    across_channels: bool = False
    eps: float = 1e-9

    def __post_init__(self) -> None:
        if self.eps < 0:
            raise FieldError("eps", f"must be at least 0, not {self.eps}")


@layer_types.register("MVN")
class MVN(ElementwiseLayer):
    """(x - mean) / (sqrt(variance) + eps) over (N, C, H, W): over each channel of each picture, or `across_channels`.

    Without `normalize_variance` only the mean is taken off. Source: Caffe's `mvn_layer.cpp`.
    """

    parameters_type = MVNParameters
    parameters_field = "mvn_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        picture_dims(spec, bottoms[0])
        return bottoms

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        axes = (1, 2, 3) if parameters.across_channels else (2, 3)
        centred = bottoms[0] - bottoms[0].mean(axes, keepdim=True)
        if not parameters.normalize_variance:
            return (centred,)
        deviation = centred.square().mean(axes, keepdim=True).clamp(min=LEAST_VARIANCE).sqrt()
        return (centred / (deviation + parameters.eps),)
