"""RandomAffine: pictures turned, slanted, scaled and moved a little while training. Caffe has no such type."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import ElementwiseLayer, layer_types
from cortado.layers.window import picture_dims


@dataclass(frozen=True, kw_only=True)
class RandomAffineParameters:
    """Parameters of RandomAffine: the largest share of its size by which a picture is slanted or scaled, in each
    direction, and the most pixels by which it is moved.
    """

    slant: float = 0.0
    scale: float = 0.0
    move: float = 0.0

    def __post_init__(self) -> None:
        for name in ("slant", "scale", "move"):
            if getattr(self, name) < 0:
                raise FieldError(name, f"must be at least 0, not {getattr(self, name)}")
        if self.scale >= 1:
            raise FieldError("scale", f"must be below 1, not {self.scale}")


@layer_types.register("RandomAffine")
class RandomAffine(ElementwiseLayer):
    """Each picture of (N, C, H, W) by an affine map of its own near the identity, bilinear, zeros moving in.

    Outside training the identity. No sine or cosine is taken, whose last bits differ between processors: two slants of
    opposite sign turn the picture.
    """

    parameters_type = RandomAffineParameters
    parameters_field = "random_affine_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        picture_dims(spec, bottoms[0])
        return bottoms

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        x = bottoms[0]
        if not self.training:
            return (x,)
        parameters = self.spec.parameters
        # Uniform from -1 to 1: two rows of a matrix for each picture, the last column moves it.
        draws = 2 * torch.rand(len(x), 2, 3, dtype=x.dtype) - 1
        # The grid spans -1 to 1 over each side.
        pixels = torch.tensor([2 / x.shape[3], 2 / x.shape[2]], dtype=x.dtype)
        slant = parameters.slant * draws[:, :, :2] * (1 - torch.eye(2, dtype=x.dtype))
        scale = (1 + parameters.scale * draws[:, :, :2]) * torch.eye(2, dtype=x.dtype)
        maps = torch.cat((slant + scale, (parameters.move * pixels * draws[:, :, 2])[:, :, None]), 2)
        grid = functional.affine_grid(maps, list(x.shape), align_corners=False)
        return (functional.grid_sample(x, grid, align_corners=False),)
