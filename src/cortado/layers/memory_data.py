"""MemoryData: pictures and labels the program gives as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.layer import layer_types


@dataclass(frozen=True, kw_only=True)
class MemoryDataParameters:
    """Caffe's MemoryDataParameter."""

    batch_size: int
    channels: int
    height: int
    width: int

    def __post_init__(self) -> None:
        for name in ("batch_size", "channels", "height", "width"):
            if getattr(self, name) < 1:
                raise FieldError(name, f"must be at least 1, not {getattr(self, name)}")


@layer_types.register("MemoryData")
class MemoryData(DataSource):
    """The next rows of the arrays last given to `set_arrays`: pictures (N, C, H, W) and labels (N,).

    They are taken as they are; a transform_param, which in Caffe has an effect on Datum and OpenCV pictures only
    (`memory_data_layer.cpp`), is refused.
    """

    parameters_type = MemoryDataParameters
    parameters_field = "memory_data_param"
    top_counts = range(2, 3)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._arrays: tuple[Tensor, Tensor] | None = None

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        return (TensorShape((parameters.batch_size, parameters.channels, parameters.height, parameters.width)),
                TensorShape((parameters.batch_size,)))

    def set_arrays(self, pictures: np.ndarray, labels: np.ndarray) -> None:
        """Go on with these, from the first row; `LayerError` for arrays that do not fit."""
        parameters = self.spec.parameters
        wanted = self.top_shapes(self.spec, ())[0].dims[1:]
        if pictures.shape[1:] != wanted or len(pictures) % parameters.batch_size or not len(pictures):
            raise self.spec.error(f"the pictures must be whole batches of {parameters.batch_size}, each picture "
                                  f"{'x'.join(map(str, wanted))}, not {'x'.join(map(str, pictures.shape))}")
        if labels.size != len(pictures):
            raise self.spec.error(f"there must be one label for each of {len(pictures)} pictures, not {labels.size}")
        self._arrays = (torch.from_numpy(np.ascontiguousarray(pictures, np.float32)),
                        torch.from_numpy(np.ascontiguousarray(labels, np.float32)).reshape(-1))
        self.position.zero_()

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        if self._arrays is None:
            raise self.spec.error("it must be given arrays before it runs (set_arrays; in pycaffe set_input_arrays)")
        pictures, labels = self._arrays
        items = self.next_items(self.spec.parameters.batch_size, len(pictures), shuffle=False)
        return pictures[items], labels[items]
