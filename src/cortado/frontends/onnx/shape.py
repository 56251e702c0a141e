"""Operators that give values other dimensions, another order or another element type."""

from __future__ import annotations

import math

import numpy as np

from cortado.frontends.onnx.element import CONVERTED
from cortado.frontends.onnx.neighbourhood import Neighbourhood
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.repeated import on_distinct
from cortado.frontends.onnx.reshaped import add_reshape
from cortado.frontends.onnx.tensor import element_name, element_of
from cortado.frontends.onnx.translation import Translation, Value
from cortado.layers.cast import CastParameters
from cortado.layers.element_type import ElementType, converted
from cortado.layers.permute import PermuteParameters


@operators.register("Identity")
def identity(node: Node, net: Translation) -> Value:
    return net.value(node, 0)


@operators.register("Cast")
def cast(node: Node, net: Translation) -> Value:
    node.ignore("round_mode")
    element = element_of(node.integer("to"))
    if element is None:
        raise node.error(f"to must be another element type: {element_name(node.integer('to'))} is not supported")
    return _cast(node, net, element)


@operators.register("CastLike")
def cast_like(node: Node, net: Translation) -> Value:
    node.ignore("round_mode")
    like = net.value(node, 1)
    return _cast(node, net, CONVERTED[like.dtype] if isinstance(like, np.ndarray) else net.blob(node, 1).element)


@operators.register("Shape")
def shape(node: Node, net: Translation) -> Value:
    """A constant: sizes are those of the file."""
    dims = _dims(net.value(node, 0), node, net)
    start, end = node.integer("start", 0), node.integer("end", len(dims))
    return np.array(dims[start:end], np.int64)


@operators.register("Size")
def size(node: Node, net: Translation) -> Value:
    return np.array(math.prod(_dims(net.value(node, 0), node, net)), np.int64)


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
    """A Reshape where the values keep their order, else a Permute."""
    value = net.value(node, 0)
    dims = _dims(value, node, net)
    order = node.integers("perm", tuple(reversed(range(len(dims)))))
    if sorted(order) != list(range(len(dims))):
        raise node.error(f"perm must name each of {len(dims)} axes once")
    moved = [axis for axis in order if dims[axis] != 1]
    if moved == sorted(moved) and order[:1] in ((), (0,)):
        return _reshaped(node, net, tuple(dims[axis] for axis in order))
    return net.add(node, "Permute", (net.blob(node, 0),), PermuteParameters(order=order))


def _cast(node: Node, net: Translation, element: ElementType) -> Value:
    value, saturate = net.value(node, 0), node.integer("saturate", 1) != 0
    if isinstance(value, np.ndarray):
        return on_distinct(lambda distinct: converted(np.asarray(distinct), element, saturate=saturate), value)
    bottom = net.blob(node, 0)
    if bottom.element is element:
        return value
    return net.add(node, "Cast", (bottom,), CastParameters(to=element, saturate=saturate),
                   element=element)


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
