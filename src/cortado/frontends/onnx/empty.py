"""Operators on constants without a value: there is nothing to compute, and no blob is empty."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cortado.frontends.onnx.element import CONVERTED
from cortado.frontends.onnx.node import Node

# Operators whose result has a value for each of the operands', which broadcast, and of their type.
VALUE_BY_VALUE = ("Abs", "Add", "Cos", "Div", "Exp", "Floor", "Log", "Mul", "Neg", "Pow", "Reciprocal", "Relu",
                  "Sigmoid", "Sin", "Sqrt", "Sub", "Tanh")

# What no values at all are together.
_TOGETHER = {"ReduceSum": 0, "ReduceSumSquare": 0, "ReduceL1": 0, "ReduceL2": 0, "ReduceProd": 1,
             "ReduceMean": math.nan, "ReduceLogSum": -math.inf, "ReduceLogSumExp": -math.inf}


def of_empty(node: Node, values: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """The empty result where one of the constants is empty; None where the operator is another one or none is.

    Raises `ModelFileError` for constants that do not broadcast.
    """
    given = [value for value in values if value is not None]
    if node.operator not in VALUE_BY_VALUE or all(value.size for value in given):
        return None
    try:
        return np.empty(np.broadcast_shapes(*(value.shape for value in given)), given[0].dtype)
    except ValueError:
        raise node.error("its constants do not fit together: they must broadcast to one shape") from None


def reduced_empty(node: Node, values: np.ndarray, axes: Sequence[int], keep: bool) -> np.ndarray:
    """An empty constant with these axes reduced: the number that changes nothing where it is put together with others.

    Raises `ModelFileError` for a mean of whole numbers, which there is none of.
    """
    dims = [1 if axis in axes else dim for axis, dim in enumerate(values.shape) if keep or axis not in axes]
    if node.operator in ("ReduceMax", "ReduceMin"):
        return np.full(dims, _extreme(values.dtype, least=node.operator == "ReduceMax"), values.dtype)
    number = _TOGETHER[node.operator]
    if not math.isfinite(number) and not CONVERTED[values.dtype].is_real:
        raise node.error("input 0 must be real numbers to be reduced where it is empty")
    return np.full(dims, number, values.dtype)


def _extreme(dtype: np.dtype, *, least: bool) -> float | int | bool:
    """The least or the greatest value of a type."""
    if dtype.kind == "b":
        return not least
    if dtype.kind in "iu":
        return np.iinfo(dtype).min if least else np.iinfo(dtype).max
    return -math.inf if least else math.inf
