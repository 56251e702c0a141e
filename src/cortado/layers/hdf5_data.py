"""HDF5Data: rows of the arrays in HDF5 files."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.data_source import DataSource
from cortado.layers.layer import layer_types
from cortado.layers.source_path import source_lines, source_path


@dataclass(frozen=True, kw_only=True)
class HDF5DataParameters:
    """Caffe's HDF5DataParameter; `source` is a text file that names an HDF5 file in each line."""

    source: str
    batch_size: int
    shuffle: bool = False

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise FieldError("batch_size", f"must be at least 1, not {self.batch_size}")


@layer_types.register("HDF5Data")
class HDF5Data(DataSource):
    """Each top is the next rows of the array that has its name, over all files, as float32.

    As Caffe's `hdf5_data_layer.cpp`, but a shuffled pass is over the rows of all files at once, not file by file.
    """

    parameters_type = HDF5DataParameters
    parameters_field = "hdf5_data_param"
    top_counts = range(1, 1025)

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._files = _files(spec)
        # The row behind the last of each file.
        self._ends = list(accumulate(_rows(spec, file) for file in self._files))
        self._loaded: tuple[Path | None, list[np.ndarray]] = (None, [])

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        shapes = None
        for file in _files(spec):
            found = tuple(TensorShape((spec.parameters.batch_size, *dims[1:])) for dims in _dims(spec, file))
            if shapes not in (None, found):
                raise spec.error(f"the rows in '{file}' must have the shapes they have in the first file")
            shapes = found
        return shapes

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        items = self.next_items(parameters.batch_size, self._ends[-1], shuffle=parameters.shuffle)
        rows = [self._row(item) for item in items]
        return tuple(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True))

    def _row(self, item: int) -> list[np.ndarray]:
        place = int(np.searchsorted(self._ends, item, side="right"))
        if self._loaded[0] != self._files[place]:
            with _opened(self.spec, self._files[place]) as file:
                self._loaded = (self._files[place], [np.asarray(file[top], np.float32) for top in self.spec.tops])
        begin = self._ends[place - 1] if place else 0
        return [array[item - begin] for array in self._loaded[1]]


def _files(spec: LayerSpec) -> list[Path]:
    files = [source_path(line, spec.position.file if spec.position else ".")
             for line in source_lines(spec, spec.parameters.source)]
    if not files:
        raise spec.error(f"source '{spec.parameters.source}' must name at least one HDF5 file")
    return files


def _opened(spec: LayerSpec, path: Path):
    # Imported here: it takes a moment, and most networks read no such files.
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise spec.error(f"'{path}' must be an HDF5 file that can be read: {error}") from None


def _dims(spec: LayerSpec, path: Path) -> list[tuple[int, ...]]:
    import h5py

    with _opened(spec, path) as file:
        for top in spec.tops:
            if not isinstance(file.get(top), h5py.Dataset) or file[top].dtype.kind not in "fiu" or not file[top].shape:
                raise spec.error(f"'{path}' must have an array of numbers '{top}' with rows; it has "
                                 f"{', '.join(file) or 'nothing'}")
        return [file[top].shape for top in spec.tops]


def _rows(spec: LayerSpec, path: Path) -> int:
    counts = {dims[0] for dims in _dims(spec, path)}
    if len(counts) > 1 or 0 in counts:
        raise spec.error(f"the arrays in '{path}' must have one number of rows, at least 1, not "
                         f"{', '.join(map(str, sorted(counts)))}")
    return counts.pop()
