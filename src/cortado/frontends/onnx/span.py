"""Which axes of a blob a constant covers that ONNX broadcasts. No operator lives here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cortado.graph.shape import TensorShape


@dataclass(frozen=True)
class Span:
    """`values` have the dimensions of the blob from `axis` on, some of them; they are a scalar for all of them."""

    axis: int
    values: np.ndarray


def find_span(bottom: TensorShape, constant: np.ndarray) -> Span | None:
    """The axes along which a constant differs, where they are side by side and leave out the batch, else None."""
    padded = (1,) * (bottom.rank - constant.ndim) + constant.shape
    if len(padded) != bottom.rank:
        return None
    covered = [axis for axis, dim in enumerate(padded) if dim != 1]
    if not covered:
        return Span(1, constant.reshape(()))
    if covered[0] == 0 or padded[covered[0]:covered[-1] + 1] != bottom.dims[covered[0]:covered[-1] + 1]:
        return None
    return Span(covered[0], constant.reshape(padded[covered[0]:covered[-1] + 1]))
