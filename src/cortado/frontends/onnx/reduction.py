"""Axes that become one value: sums, means, extremes and where they are."""

from __future__ import annotations

import math

import numpy as np

from cortado.frontends.onnx.element import FLOAT
from cortado.frontends.onnx.empty import reduced_empty
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.translation import Translation, Value
from cortado.layers.arg_extreme import ArgExtremeParameters
from cortado.layers.element_type import ElementType
from cortado.layers.flatten import FlattenParameters
from cortado.layers.pooling import PoolingParameters, PoolMethod
from cortado.layers.reduce import ReduceOperation, ReduceParameters

_OPERATIONS = {"ReduceSum": ReduceOperation.SUM, "ReduceMean": ReduceOperation.MEAN, "ReduceMax": ReduceOperation.MAX,
               "ReduceMin": ReduceOperation.MIN, "ReduceProd": ReduceOperation.PROD, "ReduceL1": ReduceOperation.L1,
               "ReduceL2": ReduceOperation.L2, "ReduceLogSum": ReduceOperation.LOG_SUM,
               "ReduceLogSumExp": ReduceOperation.LOG_SUM_EXP, "ReduceSumSquare": ReduceOperation.SUM_SQUARE}


@operators.register(*_OPERATIONS)
def reduce(node: Node, net: Translation) -> Value:
    """A mean over height and width, as torch writes an adaptive average pool, is a Pooling."""
    value = net.value(node, 0)
    empty = value if isinstance(value, np.ndarray) and not value.size else None
    rank = net.blob(node, 0).shape.rank if empty is None else empty.ndim
    given = net.integers(node, 1) if node.reads(1) else node.integers("axes", ())
    axes = tuple(sorted(node.front_axis(axis, rank) for axis in given))
    operation, keep = _OPERATIONS[node.operator], node.integer("keepdims", 1) != 0
    nothing = node.integer("noop_with_empty_axes", 0) != 0
    if not given and not nothing:
        axes = tuple(range(rank))
    if not given and nothing and operation in (ReduceOperation.SUM, ReduceOperation.MEAN, ReduceOperation.MAX,
                                               ReduceOperation.MIN, ReduceOperation.PROD):
        return value
    if empty is not None:
        dims = [1 if axis in axes else dim for axis, dim in enumerate(empty.shape)]
        net.spend(node, math.prod(dims))
        return reduced_empty(node, empty, axes, keep)
    bottom = net.blob(node, 0)
    if bottom.element is ElementType.BOOL and operation not in (ReduceOperation.MAX, ReduceOperation.MIN):
        raise node.error("input 0 must be numbers, not truth values")
    if operation is ReduceOperation.MEAN and rank == 4 and axes == (2, 3) and bottom.element is FLOAT:
        parameters = PoolingParameters(pool=PoolMethod.AVE, global_pooling=True)
        if keep:
            return net.add(node, "Pooling", (bottom,), parameters)
        pooled = net.add(node, "Pooling", (bottom,), parameters, part="mean")
        return net.add(node, "Flatten", (pooled,), FlattenParameters())
    return net.add(node, "Reduce", (bottom,), ReduceParameters(operation=operation, axis=axes, keep_dims=keep))


@operators.register("ArgMax", "ArgMin")
def arg_extreme(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    parameters = ArgExtremeParameters(
        axis=node.axis(0, bottom.shape.rank), largest=node.operator == "ArgMax",
        last=node.integer("select_last_index", 0) != 0, keep_dims=node.integer("keepdims", 1) != 0)
    return net.add(node, "ArgExtreme", (bottom,), parameters, element=ElementType.INT64)
