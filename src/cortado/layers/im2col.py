"""Im2col: the values under each place of a kernel, as Caffe's convolution lays them out."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.convolution import WindowParameters, window_counts
from cortado.layers.layer import UntrainedLayer, layer_types
from cortado.layers.window import picture_dims


@layer_types.register("Im2col")
class Im2col(UntrainedLayer):
    """(N, C, H, W) -> (N, C * kernel height * kernel width, OH, OW), zeros where there is padding.

    Source: Caffe's `im2col_layer.cpp`.
    """

    parameters_type = WindowParameters
    parameters_field = "convolution_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        batch, channels, *_ = picture_dims(spec, bottoms[0])
        values = channels * math.prod(spec.parameters.kernel)
        return (TensorShape((batch, values, *window_counts(spec, bottoms[0]))),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, x = self.spec.parameters, bottoms[0]
        columns = functional.unfold(x, parameters.kernel, parameters.dilations, parameters.pads, parameters.strides)
        return (columns.reshape(*columns.shape[:2], *window_counts(self.spec, TensorShape(tuple(x.shape)))),)
