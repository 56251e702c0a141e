"""What depends on no input is computed while reading: shapes, constants in pieces, conditions that are settled."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import foldings, operators
from cortado.frontends.onnx.translation import Translation, Value
from cortado.graph.shape import LARGEST_COUNT

Array = np.ndarray


@foldings.register("Constant")
def constant(node: Node, net: Translation) -> Array:
    for name, read in (("value_float", node.number), ("value_int", node.integer), ("value_ints", node.integers)):
        if node.gives(name):
            value = read(name)
            return np.array(value, np.float32 if name == "value_float" else np.int64)
    return net.tensors.decode(node.tensor("value"))


@foldings.register("ConstantOfShape")
def constant_of_shape(node: Node, net: Translation) -> Array:
    dims = net.integers(node, 0)
    if any(dim < 0 for dim in dims) or math.prod(dims) > LARGEST_COUNT:
        raise node.error(f"dimensions must not be negative and give at most {LARGEST_COUNT} values")
    value = net.tensors.decode(node.tensor("value")) if node.gives("value") else np.zeros(1, np.float32)
    if value.size != 1:
        raise node.error(f"value must be one number, not {value.size}")
    return np.broadcast_to(value.reshape(()), dims)


@foldings.register("Identity")
def identity(node: Node, net: Translation) -> Array:
    return net.constant(node, 0)


_COMPUTED: dict[str, Callable[[Array, Array], Array]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Equal": np.equal,
    "Div": lambda one, other: (np.divide(one, other).astype(one.dtype) if one.dtype.kind == "f"
                               else np.trunc(one / other).astype(one.dtype)),
}


@foldings.register(*_COMPUTED)
def computed(node: Node, net: Translation) -> Array:
    one, other = net.constant(node, 0), net.constant(node, 1)
    net.spend(node, math.prod(np.broadcast_shapes(one.shape, other.shape)))
    return _COMPUTED[node.operator](one, other)


@foldings.register("Concat")
def concat(node: Node, net: Translation) -> Array:
    parts = [net.constant(node, index) for index in range(len(node.inputs))]
    net.spend(node, sum(part.size for part in parts))
    return np.concatenate(parts, node.axis(None, parts[0].ndim))


@foldings.register("Gather")
def gather(node: Node, net: Translation) -> Array:
    values, places = net.constant(node, 0), net.constant(node, 1)
    axis = node.axis(0, values.ndim)
    net.spend(node, places.size * math.prod(values.shape[:axis] + values.shape[axis + 1:]))
    return values.take(places.astype(np.int64), axis)


@foldings.register("Slice")
def cut(node: Node, net: Translation) -> Array:
    values = net.constant(node, 0)
    if net.opset < 10:
        starts, ends = node.integers("starts"), node.integers("ends")
        axes, steps = node.integers("axes", tuple(range(len(starts)))), (1,) * len(starts)
    else:
        starts, ends = net.integers(node, 1), net.integers(node, 2)
        axes = net.integers(node, 3) if node.reads(3) else tuple(range(len(starts)))
        steps = net.integers(node, 4) if node.reads(4) else (1,) * len(starts)
    places = [slice(None)] * values.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        # Behind the front no place is below -size, which Python would count from the end again.
        stop = None if step < 0 and end < -values.shape[axis] else end
        places[node.front_axis(axis, values.ndim)] = slice(start, stop, step)
    return values[tuple(places)]


@foldings.register("Transpose")
def transpose(node: Node, net: Translation) -> Array:
    values = net.constant(node, 0)
    return values.transpose(node.integers("perm", tuple(reversed(range(values.ndim)))))


@operators.register("If")
def choose(node: Node, net: Translation) -> Value | tuple[Value, ...]:
    """The branch of a condition that is settled while reading; the nodes of the other one are not looked at."""
    condition = net.constant(node, 0)
    if condition.size != 1:
        raise node.error(f"input 0 must be one truth value, not {condition.size}")
    branches = node.graph("then_branch"), node.graph("else_branch")
    graph = branches[0] if condition.reshape(()) else branches[1]
    net.run(graph)
    values = tuple(net.named(output.name) for output in graph.output)
    if any(value is None for value in values):
        raise node.error("every output of the branch must be produced in it or before it")
    return values

