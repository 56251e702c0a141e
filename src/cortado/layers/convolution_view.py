"""Convolution and inner product as one thing: the convolution an engine runs. No layer type lives here."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import canonical_axis, layer_types

# The layer types that have such a view.
CONVOLUTION_TYPES = ("Convolution", "InnerProduct")


@dataclass(frozen=True, kw_only=True)
class ConvolutionView:
    """A layer of one of `CONVOLUTION_TYPES` on a bottom of known shape.

    An inner product is a 1 x 1 kernel over the values it flattens, in Caffe's order (channel, row, column): its bottom
    (N, C, H, W) becomes maps (N, C * H * W, 1, 1).
    """

    layer: LayerSpec
    bottom: TensorShape

    @property
    def is_inner_product(self) -> bool:
        """Whether the layer is one."""
        return self.layer.type == "InnerProduct"

    @property
    def maps(self) -> TensorShape:
        """(N, C, H, W) of the bottom as the convolution takes it: same values, same order."""
        if not self.is_inner_product:
            return self.bottom
        axis = canonical_axis(self.layer, self.layer.parameters.axis, self.bottom.rank)
        return TensorShape((math.prod(self.bottom.dims[:axis]), math.prod(self.bottom.dims[axis:]), 1, 1))

    @property
    def top(self) -> TensorShape:
        """Shape of the layer's top; the convolution's maps are the same values in the same order."""
        return layer_types[self.layer.type].top_shapes(self.layer, (self.bottom,))[0]

    @property
    def filters(self) -> int:
        """Output channels."""
        return self.layer.parameters.num_output

    @property
    def kernel(self) -> tuple[int, int]:
        """(height, width) before dilation."""
        return (1, 1) if self.is_inner_product else self.layer.parameters.kernel

    @property
    def stride(self) -> tuple[int, int]:
        """(vertical, horizontal) steps."""
        return (1, 1) if self.is_inner_product else self.layer.parameters.strides

    @property
    def dilation(self) -> tuple[int, int]:
        """(vertical, horizontal) distance between neighbouring taps."""
        return (1, 1) if self.is_inner_product else self.layer.parameters.dilations

    @property
    def group(self) -> int:
        """Groups of channels that do not see each other."""
        return 1 if self.is_inner_product else self.layer.parameters.group

    @property
    def pad(self) -> tuple[int, int, int, int]:
        """Rows and columns of zeros at (top, bottom, left, right)."""
        vertical, horizontal = (0, 0) if self.is_inner_product else self.layer.parameters.pads
        return vertical, vertical, horizontal, horizontal

    @property
    def taps(self) -> int:
        """Products in one sum."""
        return self.maps.dims[1] // self.group * math.prod(self.kernel)


def kernel_weight(layer: LayerSpec, blob: NDArray) -> NDArray:
    """The weight blob of a layer of one of `CONVOLUTION_TYPES` as (K, C / group, R, S); a view where it can be."""
    if layer.type != "InnerProduct":
        return blob
    return (blob.T if layer.parameters.transpose else blob)[:, :, np.newaxis, np.newaxis]
