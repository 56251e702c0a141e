"""Which axes of a blob a constant covers that ONNX broadcasts. No operator lives here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cortado.frontends.onnx.node import Node
from cortado.graph.shape import TensorShape


@dataclass(frozen=True)
class Span:
    """`values` have the dimensions of the blob from `axis` on, some of them; they are a scalar for all of them."""

    axis: int
    values: np.ndarray


def read_span(node: Node, bottom: TensorShape, constant: np.ndarray) -> Span:
    """The axes along which a constant differs; raises `ModelFileError` for the batch, or where it does not fit."""
    words = "x".join(str(dim) for dim in constant.shape)
    padded = (1,) * (bottom.rank - constant.ndim) + constant.shape
    covered = [axis for axis, dim in enumerate(padded) if dim != 1]
    if not covered and len(padded) == bottom.rank:
        return Span(1, constant.reshape(()))
    fits = len(padded) == bottom.rank and all(padded[axis] == bottom.dims[axis]
                                              for axis in range(covered[0], covered[-1] + 1))
    if not fits or covered[0] == 0:
        raise node.error(f"a constant of shape {words} must be one number or have dimensions of {bottom} side by side, "
                         "without the batch: nothing else is supported")
    return Span(covered[0], constant.reshape(padded[covered[0]:covered[-1] + 1]))
