"""Functions of each value by itself, and Softmax."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from cortado.frontends.onnx.writing.graph import Graph
from cortado.frontends.onnx.writing.layer_writer import Written, layer_writers
from cortado.layers.element_type import ElementType
from cortado.layers.unary import UnaryOperation

# Layer types that are one operator of one value, and its attributes.
_OPERATORS: dict[str, tuple[str, Callable[[object], dict[str, object]]]] = {
    "AbsVal": ("Abs", lambda parameters: {}),
    "ELU": ("Elu", lambda parameters: {"alpha": parameters.alpha}),
    "Gelu": ("Gelu", lambda parameters: {"approximate": parameters.approximate.name.lower()}),
    "LogSoftmax": ("LogSoftmax", lambda parameters: {"axis": parameters.axis}),
    "Sigmoid": ("Sigmoid", lambda parameters: {}),
    "Softmax": ("Softmax", lambda parameters: {"axis": parameters.axis}),
    "TanH": ("Tanh", lambda parameters: {}),
}

_UNARY = {UnaryOperation.IS_NAN: "IsNaN", UnaryOperation.NEGATE: "Neg"}


@layer_writers.register(*_OPERATORS)
def function(layer: Written, graph: Graph) -> None:
    operator, attributes = _OPERATORS[layer.spec.type]
    graph.node(layer, operator, (layer.x,), **attributes(layer.parameters))


@layer_writers.register("ReLU")
def relu(layer: Written, graph: Graph) -> None:
    slope = layer.parameters.negative_slope
    if slope:
        graph.node(layer, "LeakyRelu", (layer.x,), alpha=slope)
    else:
        graph.node(layer, "Relu", (layer.x,))


@layer_writers.register("PReLU")
def prelu(layer: Written, graph: Graph) -> None:
    slopes = layer.blobs[0]
    behind = (1,) * (layer.bottoms[0].rank - 2)
    slopes = slopes.reshape(1) if slopes.size == 1 else slopes.reshape(-1, *behind)
    graph.node(layer, "PRelu", (layer.x, graph.constant(layer, slopes, "slope")))


@layer_writers.register("Clip")
def clip(layer: Written, graph: Graph) -> None:
    element = layer.elements[0].numpy
    limits = [graph.constant(layer, np.array(limit, element), part)
              for part, limit in (("min", layer.parameters.min), ("max", layer.parameters.max))]
    graph.node(layer, "Clip", (layer.x, *limits))


@layer_writers.register("Power")
def power(layer: Written, graph: Graph) -> None:
    """(shift + scale * x)**power, as many of these as do something."""
    parameters = layer.parameters
    steps = [(operator, value) for operator, value, nothing in (
        ("Mul", parameters.scale, 1.0), ("Add", parameters.shift, 0.0), ("Pow", parameters.power, 1.0))
        if value != nothing]
    _chain(layer, graph, layer.x, steps)


@layer_writers.register("Exp")
def exponential(layer: Written, graph: Graph) -> None:
    parameters = layer.parameters
    factor = 1.0 if parameters.base == -1 else math.log(parameters.base)
    steps = [(operator, value) for operator, value, nothing in (
        ("Mul", parameters.scale, 1.0), ("Add", parameters.shift, 0.0), ("Mul", factor, 1.0)) if value != nothing]
    inner = _chain(layer, graph, layer.x, steps, part="inner") if steps else layer.x
    graph.node(layer, "Exp", (inner,))


@layer_writers.register("Log")
def logarithm(layer: Written, graph: Graph) -> None:
    parameters = layer.parameters
    steps = [(operator, value) for operator, value, nothing in (
        ("Mul", parameters.scale, 1.0), ("Add", parameters.shift, 0.0)) if value != nothing]
    inner = _chain(layer, graph, layer.x, steps, part="inner") if steps else layer.x
    if parameters.base == -1:
        graph.node(layer, "Log", (inner,))
        return
    natural = graph.node(layer, "Log", (inner,), part="natural")
    graph.node(layer, "Div", (natural, graph.number(layer, math.log(parameters.base), "log_base")))


@layer_writers.register("Unary")
def unary(layer: Written, graph: Graph) -> tuple[ElementType, ...] | None:
    operation = layer.parameters.operation
    graph.node(layer, _UNARY.get(operation, operation.name.title()), (layer.x,))
    return (ElementType.BOOL,) if operation is UnaryOperation.IS_NAN else None


@layer_writers.register("Cast")
def cast(layer: Written, graph: Graph) -> tuple[ElementType, ...]:
    to, attributes = layer.parameters.to, {} if layer.parameters.saturate else {"saturate": 0}
    if to.value > ElementType.FLOAT8E5M2FNUZ.value:
        raise layer.spec.error(f"a Cast to {to.name} is not written: opset 20 has no such type")
    graph.node(layer, "Cast", (layer.x,), to=to.value, **attributes)
    return (to,)


@layer_writers.register("Dropout")
def dropout(layer: Written, graph: Graph) -> None:
    graph.node(layer, "Dropout", (layer.x, graph.constant(
        layer, np.array(layer.parameters.dropout_ratio, np.float32), "ratio")))


def _chain(layer: Written, graph: Graph, x: str, steps: list[tuple[str, float]], part: str = "") -> str:
    """One operator with a number after the other; at least one node."""
    if not steps:
        return graph.node(layer, "Identity", (x,), part=part)
    for index, (operator, value) in enumerate(steps):
        last = index == len(steps) - 1
        number = graph.number(layer, value, f"{part}{operator.lower()}{index}")
        x = graph.node(layer, operator, (x, number), part=part if last else f"{part}{operator.lower()}{index}")
    return x
