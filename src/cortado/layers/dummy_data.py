"""DummyData: blobs from fillers, for trying a network out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError, GraphError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.filler import Filler
from cortado.layers.input import BlobShape
from cortado.layers.layer import UntrainedLayer, layer_types


@dataclass(frozen=True, kw_only=True)
class DummyDataParameters:
    """Caffe's DummyDataParameter; num, channels, height and width are how `shape` used to be written."""

    data_filler: tuple[Filler, ...] = ()
    shape: tuple[BlobShape, ...] = ()
    num: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    height: tuple[int, ...] = ()
    width: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(values) for values in (self.num, self.channels, self.height, self.width)}
        if len(lengths) > 1:
            raise FieldError("num", "must be given as often as channels, height and width")
        if self.num and self.shape:
            raise FieldError("num", "must not be given beside shape")
        # A shape that is none is refused here.
        _ = self.shapes

    @property
    def shapes(self) -> tuple[BlobShape, ...]:
        """The shapes in either spelling."""
        rows = zip(self.num, self.channels, self.height, self.width, strict=True)
        try:
            return self.shape or tuple(BlobShape(dim=row) for row in rows)
        except FieldError as error:
            raise FieldError("num", f"and its neighbours {error.message}") from None


@layer_types.register("DummyData")
class DummyData(UntrainedLayer):
    """Each top has its shape and is filled by its filler (constant 0 where there is none), as Caffe's
    `dummy_data_layer.cpp`; one shape or filler is for all tops. What is not constant is drawn anew in each pass.
    """

    parameters_type = DummyDataParameters
    parameters_field = "dummy_data_param"
    bottom_counts = range(1)
    top_counts = range(1, 1025)

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        for name, values, least in (("shape", parameters.shapes, 1), ("data_filler", parameters.data_filler, 0)):
            if len(values) not in (least, 1, len(spec.tops)):
                raise spec.error(f"dummy_data_param must have one {name} for all tops or one for each of "
                                 f"{len(spec.tops)}, not {len(values)}")
        shapes = parameters.shapes
        return tuple(TensorShape(shape.dim) for shape in (shapes * len(spec.tops) if len(shapes) == 1 else shapes))

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        fillers = self.spec.parameters.data_filler or (Filler(),)
        fillers = fillers * len(self.spec.tops) if len(fillers) == 1 else fillers
        generator = np.random.default_rng(int(torch.randint(2**62, ())))
        try:
            return tuple(torch.from_numpy(filler.fill(shape.dims, generator))
                         for filler, shape in zip(fillers, self.top_shapes(self.spec, ()), strict=True))
        except GraphError as error:
            raise self.spec.error(str(error)) from None
