"""LRN: local response normalisation, across channels or within each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import CaffeEngine, ElementwiseLayer, layer_types
from cortado.layers.window import picture_dims

# Beyond this a size is a mistake in the file: no network has so many channels.
LARGEST_SIZE = 2**14


class NormRegion(Enum):
    """What a value is divided by the neighbours of: other channels at its place, or its own channel around it."""

    ACROSS_CHANNELS = 0
    WITHIN_CHANNEL = 1


@dataclass(frozen=True, kw_only=True)
class LRNParameters:
    """Caffe's LRNParameter."""

    local_size: int = 5
    alpha: float = 1.0
    beta: float = 0.75
    norm_region: NormRegion = NormRegion.ACROSS_CHANNELS
    k: float = 1.0
    engine: CaffeEngine = CaffeEngine.DEFAULT

    def __post_init__(self) -> None:
        if self.local_size < 1 or self.local_size % 2 == 0:
            raise FieldError("local_size", f"must be odd and at least 1, not {self.local_size}")
        if self.local_size > LARGEST_SIZE:
            raise FieldError("local_size", f"must be at most {LARGEST_SIZE}, not {self.local_size}")
        if self.k != 1 and self.norm_region is NormRegion.WITHIN_CHANNEL:
            raise FieldError("k", f"must be 1 with norm_region: WITHIN_CHANNEL, where Caffe does not use it, "
                                  f"not {self.k}")


@layer_types.register("LRN")
class LRN(ElementwiseLayer):
    """x / (k + alpha / n * sum of x**2)**beta over (N, C, H, W); what lies outside the bottom counts as zero.

    Across channels the sum runs over n = `local_size` channels centred on each, within a channel over the
    n = `local_size`**2 places around each. Source: Krizhevsky et al. 2012, section 3.3; Caffe's `lrn_layer.cpp`,
    which divides alpha by n.
    """

    parameters_type = LRNParameters
    parameters_field = "lrn_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        picture_dims(spec, bottoms[0])
        return bottoms

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        x, size, reach = bottoms[0], parameters.local_size, parameters.local_size // 2
        if parameters.norm_region is NormRegion.WITHIN_CHANNEL:
            means = functional.avg_pool2d(x * x, size, 1, reach)
        else:
            # Sums of shifted slices: several times as fast, forward and backward, as torch's pooling over channels.
            channels = x.shape[1]
            reach = min(reach, channels - 1)
            squares = functional.pad(x * x, (0, 0, 0, 0, reach, reach))
            means = sum(squares[:, shift:shift + channels] for shift in range(2 * reach + 1)) / size
        return (x * (parameters.k + parameters.alpha * means).pow(-parameters.beta),)
