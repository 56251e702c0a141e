"""A blob as layers written in Python see it: arrays for data and gradient. No layer type lives here."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np


class ArrayBlob:
    """`data` and `diff` are arrays of one shape, to be read and written in place; Caffe's `blob.hpp` as pycaffe has it.

    `num`, `channels`, `height` and `width` are the first four dimensions, 1 where there are fewer.
    """

    def __init__(self, shape: tuple[int, ...] = (), dtype: type = np.float32) -> None:
        self.data = np.zeros(shape, dtype)
        self.diff = np.zeros(shape, dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The dimensions; a tuple, which compares and unpacks as pycaffe's vector does."""
        return self.data.shape

    @property
    def count(self) -> int:
        """Number of values."""
        return math.prod(self.data.shape)

    @property
    def num(self) -> int:
        """The first dimension."""
        return self._dimension(0)

    @property
    def channels(self) -> int:
        """The second dimension."""
        return self._dimension(1)

    @property
    def height(self) -> int:
        """The third dimension."""
        return self._dimension(2)

    @property
    def width(self) -> int:
        """The fourth dimension."""
        return self._dimension(3)

    def reshape(self, *dims: int) -> None:
        """Another shape; values are kept as far as there is room, and what is new is 0."""
        shape = tuple(int(dim) for dim in dims)
        if shape == self.data.shape:
            return
        self.data, self.diff = (_resized(array, shape) for array in (self.data, self.diff))

    def _dimension(self, place: int) -> int:
        return self.data.shape[place] if place < self.data.ndim else 1


def _resized(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    new = np.zeros(shape, array.dtype)
    kept = min(array.size, new.size)
    new.reshape(-1)[:kept] = array.reshape(-1)[:kept]
    return new


class BlobVector:
    """The trained blobs of a layer in Python: `add_blob` in its setup makes one."""

    def __init__(self) -> None:
        self._blobs: list[ArrayBlob] = []

    def add_blob(self, *dims: int) -> None:
        """One more blob of these dimensions."""
        self._blobs.append(ArrayBlob(tuple(int(dim) for dim in dims)))

    def __len__(self) -> int:
        return len(self._blobs)

    def __getitem__(self, place: int) -> ArrayBlob:
        return self._blobs[place]

    def __iter__(self) -> Iterator[ArrayBlob]:
        return iter(self._blobs)
