"""Trained weights in HDF5: files with the ending .caffemodel.h5.

Source: `net.cpp` of BVLC/caffe, Net::ToHDF5 and Net::CopyTrainedLayersFromHDF5: an array data/LAYER/INDEX for each
blob, and diff/LAYER/INDEX for its gradient. A layer's name with a slash in it makes groups in groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from cortado.errors import ModelFileError
from cortado.graph.spec import Weights
from cortado.messages.hdf5 import arrays_below, encoded_hdf5, opened

DATA, DIFF = "data", "diff"


def parse_hdf5_caffemodel(data: bytes, file: str | Path, *, keep_double: bool = False) -> Weights:
    """As `parse_caffemodel`, of an HDF5 file."""
    with opened(data, file) as found:
        if DATA not in found:
            raise ModelFileError(f"a caffemodel must hold a group '{DATA}', this file has only "
                                 f"{', '.join(found) or 'nothing'}", file=file)
        blobs: dict[str, dict[int, np.ndarray]] = {}
        for path, array in arrays_below(found[DATA], file).items():
            layer, _, index = path.rpartition("/")
            if not layer or not index.isdecimal() or array.dtype.kind != "f" or 0 in array.shape:
                raise ModelFileError(f"'{DATA}/{path}' must be a blob, LAYER/INDEX, of at least one value", file=file)
            blobs.setdefault(layer, {})[int(index)] = array
    for layer, found_blobs in blobs.items():
        if sorted(found_blobs) != list(range(len(found_blobs))):
            raise ModelFileError(f"layer '{layer}': blobs must be numbered from 0, not "
                                 f"{', '.join(map(str, sorted(found_blobs)))}; Caffe leaves out those that an earlier "
                                 "layer shares, give a file of protobuf then", file=file)
    # A double beyond float32 becomes infinite; whoever matches the weights to a network refuses such values.
    with np.errstate(over="ignore"):
        return {layer: tuple(_blob(found_blobs[index], keep_double) for index in range(len(found_blobs)))
                for layer, found_blobs in blobs.items()}


def encode_hdf5_caffemodel(layers: Mapping[str, tuple[np.ndarray, ...]],
                           diffs: Mapping[str, tuple[np.ndarray, ...]] = MappingProxyType({}), *,
                           keep_double: bool = False) -> bytes:
    """The bytes of a .caffemodel.h5 file with trained blobs, and their gradients where there are any, as float32; with
    `keep_double` float64 stays so.
    """
    return encoded_hdf5({f"{group}/{name}/{index}": _blob(blob, keep_double)
                         for group, blobs_of in ((DATA, layers), (DIFF, diffs))
                         for name, blobs in blobs_of.items() for index, blob in enumerate(blobs)})


def _blob(array: np.ndarray, keep_double: bool) -> np.ndarray:
    """As float32, or as float64 where it is and may stay so."""
    return np.ascontiguousarray(array, np.float64 if keep_double and array.dtype == np.float64 else np.float32)
