"""Tile: copies along one axis."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class TileParameters:
    """Caffe's TileParameter."""

    axis: int = 1
    tiles: int

    def __post_init__(self) -> None:
        if self.tiles < 1:
            raise FieldError("tiles", f"must be at least 1, not {self.tiles}")


@layer_types.register("Tile")
class Tile(UntrainedLayer):
    """`tiles` copies of the bottom one behind the other along `axis`, as Caffe's `tile_layer.cpp`."""

    parameters_type = TileParameters
    parameters_field = "tile_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        axis = canonical_axis(spec, spec.parameters.axis, bottoms[0].rank)
        dims = bottoms[0].dims
        return (TensorShape((*dims[:axis], dims[axis] * spec.parameters.tiles, *dims[axis + 1:])),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return True

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        repeats = [1] * bottoms[0].dim()
        repeats[self.spec.parameters.axis] = self.spec.parameters.tiles
        return (bottoms[0].repeat(repeats),)
