"""HDF5 files as Caffe writes them, from bytes and to bytes: named arrays in groups.

Source: `hdf5.cpp` of BVLC/caffe, whose arrays are contiguous. Others are refused, so that a small file never becomes a
large array.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cortado.errors import ModelFileError
from cortado.graph.shape import LARGEST_COUNT

# Imported where it is used: it takes a moment, and most files are of another kind.
if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(data: bytes) -> bool:
    """Whether these are the bytes of an HDF5 file."""
    return data.startswith(SIGNATURE)


@contextmanager
def opened(data: bytes, file: str | Path) -> Iterator[h5py.File]:
    """The file in these bytes, for reading; `ModelFileError` where it is damaged, also of what is read meanwhile."""
    import h5py

    try:
        with h5py.File(h5py.h5f.open_file_image(data)) as found:
            yield found
    except ModelFileError:
        raise
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise ModelFileError(f"an HDF5 file must hold together, this one is damaged: {error}", file=file) from None


def arrays_below(group: h5py.Group, file: str | Path) -> dict[str, np.ndarray]:
    """Every array in a group and the groups in it, by its path; raises `ModelFileError` for what is no group."""
    import h5py

    if not isinstance(group, h5py.Group):
        raise ModelFileError(f"'{group.name}' must be a group of arrays", file=file)
    names: list[str] = []
    group.visit(names.append)
    return {name: array_of(group[name], file) for name in names if isinstance(group[name], h5py.Dataset)}


def array_of(dataset: h5py.Dataset, file: str | Path) -> np.ndarray:
    """The values of an array of numbers, in its own type; raises `ModelFileError` for anything else."""
    import h5py

    is_known = isinstance(dataset, h5py.Dataset) and dataset.shape is not None and dataset.dtype.kind in "fiuS"
    if not is_known or dataset.size > LARGEST_COUNT:
        raise ModelFileError(f"'{dataset.name}' must be an array of numbers or a text", file=file)
    size = dataset.size * dataset.dtype.itemsize
    if dataset.chunks is not None or dataset.external or (size and dataset.id.get_storage_size() != size):
        raise ModelFileError(f"'{dataset.name}' must be stored in one piece and uncompressed, as Caffe does it",
                             file=file)
    return np.asarray(dataset[()])


def encoded_hdf5(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a file with these arrays by path, groups made as the paths ask; equal input gives equal bytes."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, value in arrays.items():
            file.create_dataset(path, data=value, track_times=False)
    return buffer.getvalue()
