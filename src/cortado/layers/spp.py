"""SPP: spatial pyramid pooling, as many values whatever the size of the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import CaffeEngine, UntrainedLayer, layer_types
from cortado.layers.pooling import Pooling, PoolingParameters, PoolMethod
from cortado.layers.window import picture_dims

# The highest level has 4**9 places.
HIGHEST_PYRAMID = 10


@dataclass(frozen=True, kw_only=True)
class SPPParameters:
    """Caffe's SPPParameter."""

    pyramid_height: int
    pool: PoolMethod = PoolMethod.MAX
    engine: CaffeEngine = CaffeEngine.DEFAULT

    def __post_init__(self) -> None:
        if not 1 <= self.pyramid_height <= HIGHEST_PYRAMID:
            raise FieldError("pyramid_height", f"must be from 1 to {HIGHEST_PYRAMID}, not {self.pyramid_height}")
        if self.pool is PoolMethod.STOCHASTIC:
            raise FieldError("pool", "must be MAX or AVE; STOCHASTIC pooling is not supported")


@layer_types.register("SPP")
class SPP(UntrainedLayer):
    """Level l pools (N, C, H, W) to 2**l x 2**l places; all levels are flattened, one behind the other.

    (N, C * (1 + 4 + ...)); for a pyramid of height 1 it stays (N, C, 1, 1). Sources: He et al. 2014, "Spatial Pyramid
    Pooling in Deep Convolutional Networks"; Caffe's `spp_layer.cpp`.
    """

    parameters_type = SPPParameters
    parameters_field = "spp_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        batch = picture_dims(spec, bottoms[0])[0]
        levels = [Pooling.top_shapes(level, bottoms)[0] for level in _levels(spec, bottoms[0])]
        if len(levels) == 1:
            return (levels[0],)
        return (TensorShape((batch, sum(level.count for level in levels) // batch)),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        shape = TensorShape(tuple(bottoms[0].shape))
        levels = [Pooling(level, (shape,))(bottoms[0])[0] for level in _levels(self.spec, shape)]
        return (levels[0] if len(levels) == 1 else torch.cat([level.flatten(1) for level in levels], 1),)


def _levels(spec: LayerSpec, bottom: TensorShape) -> list[LayerSpec]:
    """The pooling of each level."""
    levels = []
    for level in range(spec.parameters.pyramid_height):
        places = 2**level
        kernels = [-(-size // places) for size in bottom.dims[2:]]
        # Half of what the kernels cover beyond the picture, rounded up.
        pads = [(kernel * places - size + 1) // 2 for kernel, size in zip(kernels, bottom.dims[2:], strict=True)]
        try:
            parameters = PoolingParameters(
                pool=spec.parameters.pool, kernel_h=kernels[0], kernel_w=kernels[1], stride_h=kernels[0],
                stride_w=kernels[1], pad_h=pads[0], pad_w=pads[1])
        except FieldError:
            raise spec.error(f"bottom '{spec.bottoms[0]}' must be large enough for level {level} of the pyramid, "
                             f"{places}x{places} places, not {bottom}") from None
        levels.append(replace(spec, type="Pooling", parameters=parameters))
    return levels
