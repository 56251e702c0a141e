"""Constants that are one value many times over, as ConstantOfShape makes them: they take no memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def on_distinct(function: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
    """`function`, which works value by value, on the values.

    What is beyond the range of its type becomes infinite or no number, as it would in the network; that is no trained
    blob, which `net.weights` says.
    """
    with np.errstate(all="ignore"):
        if _is_repeated(values):
            return np.broadcast_to(function(values[(0,) * values.ndim]), values.shape)
        return function(values)


def as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The values as another type, without a copy where they are of it already."""
    return on_distinct(lambda distinct: np.asarray(distinct, dtype), values)


def packed(values: np.ndarray) -> np.ndarray:
    """The values one after another, as they lie in a caffemodel, and free to be written to."""
    return values if _is_repeated(values) else np.require(values, requirements=("C", "W"))


def _is_repeated(values: np.ndarray) -> bool:
    return values.size > 1 and not any(step for step, dim in zip(values.strides, values.shape, strict=True) if dim > 1)
