"""The shape of a blob."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cortado.errors import GraphError

# A blob of more elements is a mistake in the file, not a network: Caffe itself counts in 32-bit integers.
LARGEST_COUNT = 2**31 - 1


@dataclass(frozen=True)
class TensorShape:
    """Dimensions of a blob, outermost first; a picture blob is (N, C, H, W), a loss is () (shown as "scalar").

    Raises `GraphError` for a dimension below 1 or more than 2**31 - 1 elements.
    """

    dims: tuple[int, ...]

    def __post_init__(self) -> None:
        for dim in self.dims:
            if not isinstance(dim, int) or isinstance(dim, bool) or dim < 1:
                raise GraphError(f"shape {self}: every dimension must be a whole number of at least 1, not {dim}")
        if math.prod(self.dims) > LARGEST_COUNT:
            raise GraphError(f"shape {self}: at most {LARGEST_COUNT} elements, not {math.prod(self.dims)}")

    def __str__(self) -> str:
        return "x".join(str(dim) for dim in self.dims) if self.dims else "scalar"

    @property
    def count(self) -> int:
        """Number of elements."""
        return math.prod(self.dims)

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.dims)

    def with_batch(self, batch: int) -> TensorShape:
        """The same shape with its outermost dimension replaced."""
        return replace(self, dims=(batch, *self.dims[1:]))
