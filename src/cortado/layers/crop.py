"""Crop: a part of one blob, of the size of another."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, canonical_axis, layer_types


@dataclass(frozen=True, kw_only=True)
class CropParameters:
    """Caffe's CropParameter: no offset is 0, one is for every cropped axis, else one for each."""

    axis: int = 2
    offset: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for index, offset in enumerate(self.offset):
            if offset < 0:
                raise FieldError("offset", f"must be at least 0, not {offset}", index=index)


@layer_types.register("Crop")
class Crop(UntrainedLayer):
    """The first bottom from `offset` on, every axis from `axis` on as long as the second bottom's."""

    parameters_type = CropParameters
    parameters_field = "crop_param"
    bottom_counts = range(2, 3)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        source, like = bottoms
        axis = canonical_axis(spec, spec.parameters.axis, source.rank)
        if like.rank != source.rank:
            raise spec.error(f"bottom '{spec.bottoms[1]}' must have the {source.rank} dimensions of bottom "
                             f"'{spec.bottoms[0]}', not {like.rank}")
        if len(spec.parameters.offset) not in (0, 1, source.rank - axis):
            raise spec.error(f"offset must have one value, or one for each of {source.rank - axis} axes from {axis} "
                             f"on, not {len(spec.parameters.offset)}")
        for index, offset in enumerate(cls._offsets(spec, source.rank), start=axis):
            if offset + like.dims[index] > source.dims[index]:
                raise spec.error(f"axis {index} of bottom '{spec.bottoms[0]}' must have the {like.dims[index]} of "
                                 f"bottom '{spec.bottoms[1]}' from {offset} on, it is {source.dims[index]}")
        return (TensorShape((*source.dims[:axis], *like.dims[axis:])),)

    @staticmethod
    def _offsets(spec: LayerSpec, rank: int) -> tuple[int, ...]:
        """The offset of each axis that is cropped."""
        cropped = rank - canonical_axis(spec, spec.parameters.axis, rank)
        given = spec.parameters.offset or (0,)
        return given * cropped if len(given) == 1 else given

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        # Its second bottom only gives a size, and a group would tie its scale to the others.
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        source, like = bottoms
        axis = canonical_axis(self.spec, self.spec.parameters.axis, source.dim())
        for index, offset in enumerate(self._offsets(self.spec, source.dim()), start=axis):
            source = source.narrow(index, offset, like.shape[index])
        return (source,)
