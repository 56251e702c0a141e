"""HDF5Output: writes pictures and labels into an HDF5 file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types

# The arrays of the file, one for each bottom.
ARRAYS = ("data", "label")


@dataclass(frozen=True, kw_only=True)
class HDF5OutputParameters:
    """Caffe's HDF5OutputParameter."""

    file_name: str


@layer_types.register("HDF5Output")
class HDF5Output(UntrainedLayer):
    """Its two bottoms, of as many rows each, as arrays `data` and `label` of a file; there are no tops.

    The first pass makes the file anew, each later one adds its rows: Caffe's `hdf5_output_layer.cpp` fails on a second
    pass.
    """

    parameters_type = HDF5OutputParameters
    parameters_field = "hdf5_output_param"
    bottom_counts = range(2, 3)
    top_counts = range(1)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._begun = False

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if bottoms[0].dims[:1] != bottoms[1].dims[:1] or not bottoms[0].rank:
            raise spec.error(f"bottom '{spec.bottoms[1]}' must have as many rows as bottom '{spec.bottoms[0]}' "
                             f"({bottoms[0]}), not {bottoms[1]}")
        return ()

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        # Imported here: it takes a moment, and most networks write no such files.
        import h5py

        path = self.spec.parameters.file_name
        try:
            with h5py.File(path, "a" if self._begun else "w") as file:
                for name, bottom in zip(ARRAYS, bottoms, strict=True):
                    rows = bottom.detach().numpy().astype(np.float32)
                    if name not in file:
                        file.create_dataset(name, shape=(0, *rows.shape[1:]), maxshape=(None, *rows.shape[1:]),
                                            dtype=np.float32)
                    file[name].resize(len(file[name]) + len(rows), axis=0)
                    file[name][-len(rows):] = rows
        except (OSError, TypeError) as error:
            raise self.spec.error(f"'{path}' must be a file that rows can be written to: {error}") from None
        self._begun = True
        return ()
