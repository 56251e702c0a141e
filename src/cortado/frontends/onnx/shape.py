"""Operators that only move values: other dimensions, several blobs as one, one as several."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
from onnx import TensorProto

from cortado.frontends.onnx.neighbourhood import Neighbourhood
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.reshaped import add_reshape
from cortado.frontends.onnx.translation import Translation, Value
from cortado.layers.concat import ConcatParameters
from cortado.layers.slice import SliceParameters


@operators.register("Identity")
def identity(node: Node, net: Translation) -> Value:
    return net.value(node, 0)


@operators.register("Cast")
def cast(node: Node, net: Translation) -> Value:
    node.ignore("saturate", "round_mode")
    if node.integer("to") != TensorProto.FLOAT:
        raise node.error("to must be FLOAT: blobs have no other type")
    return net.value(node, 0)


@operators.register("Shape")
def shape(node: Node, net: Translation) -> Value:
    """A constant: sizes are those of the file."""
    dims = _dims(net.value(node, 0), node, net)
    start, end = node.integer("start", 0), node.integer("end", len(dims))
    return np.array(dims[start:end], np.int64)


@operators.register("Flatten")
def flatten(node: Node, net: Translation) -> Value:
    dims = _dims(net.value(node, 0), node, net)
    axis = node.integer("axis", 1)
    if axis != len(dims):
        axis = node.front_axis(axis, len(dims))
    return _reshaped(node, net, (math.prod(dims[:axis]), math.prod(dims[axis:])))


@operators.register("Reshape")
def reshape(node: Node, net: Translation) -> Value:
    dims = _dims(net.value(node, 0), node, net)
    asked = net.integers(node, 1)
    copies = node.integer("allowzero", 0) == 0
    if min(asked, default=0) < -1 or asked.count(-1) > 1 or (copies and 0 in asked[len(dims):]):
        raise node.error(f"the shape must be numbers of at least 1, 0 to copy, or -1 once to infer, not "
                         f"{list(asked)[:8]}")
    new = [dims[place] if dim == 0 and copies else dim for place, dim in enumerate(asked)]
    if -1 in new:
        known = math.prod(dim for dim in new if dim != -1)
        if known == 0 or math.prod(dims) % known:
            raise node.error(f"the {math.prod(dims)} values of input 0 must be a multiple of {known}, the product of "
                             "the dimensions given")
        new[new.index(-1)] = math.prod(dims) // known
    return _reshaped(node, net, tuple(new))


@operators.register("Squeeze")
def squeeze(node: Node, net: Translation) -> Value:
    dims = _dims(net.value(node, 0), node, net)
    axes = _axes(node, net, len(dims))
    if axes is None:
        axes = [axis for axis, dim in enumerate(dims) if dim == 1]
    if any(dims[axis] != 1 for axis in axes):
        raise node.error("the axes squeezed must have dimension 1")
    return _reshaped(node, net, tuple(dim for axis, dim in enumerate(dims) if axis not in axes))


@operators.register("Unsqueeze")
def unsqueeze(node: Node, net: Translation) -> Value:
    dims = list(_dims(net.value(node, 0), node, net))
    count = len(net.integers(node, 1) if node.reads(1) else node.integers("axes"))
    for axis in sorted(_axes(node, net, len(dims) + count) or ()):
        dims.insert(axis, 1)
    return _reshaped(node, net, tuple(dims))


@operators.register("Transpose")
def transpose(node: Node, net: Translation) -> Value:
    """Only where the values keep their order."""
    dims = _dims(net.value(node, 0), node, net)
    order = node.integers("perm", tuple(reversed(range(len(dims)))))
    if sorted(order) != list(range(len(dims))):
        raise node.error(f"perm must name each of {len(dims)} axes once")
    moved = [axis for axis in order if dims[axis] != 1]
    if moved != sorted(moved) or order[0] != 0:
        raise node.error(f"perm must leave the values in their order, not be {list(order)}: nothing else is supported")
    return _reshaped(node, net, tuple(dims[axis] for axis in order))


@operators.register("Concat")
def concat(node: Node, net: Translation) -> Value:
    bottoms = [net.blob(node, index) for index in range(len(node.inputs))]
    axis = node.axis(None, bottoms[0].shape.rank)
    if len(bottoms) == 1:
        return bottoms[0]
    return net.add(node, "Concat", bottoms, ConcatParameters(axis=axis))


@operators.register("Split")
def split(node: Node, net: Translation) -> Value | tuple[Value, ...]:
    bottom = net.blob(node, 0)
    axis, count = node.axis(0, bottom.shape.rank), len(node.outputs)
    node.ignore("num_outputs")
    if not all(node.outputs):
        raise node.error("every output must have a name")
    if node.reads(1):
        sizes = net.integers(node, 1)
    else:
        size = -(-bottom.shape.dims[axis] // count)
        equal = (*(size,) * (count - 1), bottom.shape.dims[axis] - size * (count - 1))
        sizes = node.integers("split", equal)
    if len(sizes) != count or min(sizes) < 1 or sum(sizes) != bottom.shape.dims[axis]:
        raise node.error(f"{count} sizes of at least 1 must add up to the {bottom.shape.dims[axis]} of axis {axis}, "
                         f"not {list(sizes)[:8]}")
    if count == 1:
        return bottom
    parameters = SliceParameters(axis=axis, slice_point=tuple(accumulate(sizes[:-1])))
    return net.add_layer(node, "Slice", (bottom,), parameters, name=node.name, tops=node.outputs)


def _dims(value: Value, node: Node, net: Translation) -> tuple[int, ...]:
    if isinstance(value, np.ndarray):
        return value.shape
    return value.dims if isinstance(value, Neighbourhood) else net.blob(node, 0).shape.dims


def _reshaped(node: Node, net: Translation, dims: tuple[int, ...]) -> Value:
    value = net.value(node, 0)
    if isinstance(value, np.ndarray):
        if math.prod(dims) != value.size:
            raise node.error(f"the new shape must have the {value.size} values of input 0, not {math.prod(dims)}")
        return value.reshape(dims)
    if isinstance(value, Neighbourhood):
        return value.reshaped(node, dims)
    return add_reshape(node, net, net.blob(node, 0), dims)


def _axes(node: Node, net: Translation, rank: int) -> list[int] | None:
    """The axes a node names, as an input (since opset 13) or attribute; None if it names none."""
    if node.reads(1):
        axes = net.integers(node, 1)
    elif node.gives("axes"):
        axes = node.integers("axes")
    else:
        return None
    found = [node.front_axis(axis, rank) for axis in axes]
    if len(set(found)) != len(found):
        raise node.error("axes must be different")
    return found
