"""Functions of each value by itself, and Softmax."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.span import read_span
from cortado.frontends.onnx.translation import Translation, Value
from cortado.layers.elu import ELUParameters
from cortado.layers.exp import ExpParameters
from cortado.layers.gelu import Approximation, GeluParameters
from cortado.layers.layer import NoParameters
from cortado.layers.log import LogParameters
from cortado.layers.power import PowerParameters
from cortado.layers.prelu import PReLUParameters
from cortado.layers.relu import ReLUParameters
from cortado.layers.sigmoid import SigmoidParameters
from cortado.layers.softmax import SoftmaxParameters
from cortado.layers.tanh import TanHParameters

# Operators that are a layer type, and its parameters.
_LAYERS: dict[str, tuple[str, Callable[[Node], object]]] = {
    "Abs": ("AbsVal", lambda node: NoParameters()),
    "Elu": ("ELU", lambda node: ELUParameters(alpha=node.number("alpha", 1.0))),
    "Exp": ("Exp", lambda node: ExpParameters()),
    "Gelu": ("Gelu", lambda node: GeluParameters(approximate=_approximation(node))),
    "LeakyRelu": ("ReLU", lambda node: ReLUParameters(negative_slope=node.number("alpha", 0.01))),
    "Log": ("Log", lambda node: LogParameters()),
    "Neg": ("Power", lambda node: PowerParameters(scale=-1.0)),
    "Relu": ("ReLU", lambda node: ReLUParameters()),
    "Sigmoid": ("Sigmoid", lambda node: SigmoidParameters()),
    "Sqrt": ("Power", lambda node: PowerParameters(power=0.5)),
    "Tanh": ("TanH", lambda node: TanHParameters()),
}


@operators.register(*_LAYERS)
def function(node: Node, net: Translation) -> Value:
    layer_type, parameters = _LAYERS[node.operator]
    return net.add(node, layer_type, (net.blob(node, 0),), parameters(node))


@operators.register("PRelu")
def prelu(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    span = read_span(node, bottom.shape, net.numbers(node, 1))
    if span.values.ndim and (span.axis != 1 or span.values.ndim != 1):
        raise node.error("input 1 must be one slope for each channel, or one for all: nothing else is supported")
    parameters = PReLUParameters(channel_shared=span.values.ndim == 0)
    return net.add(node, "PReLU", (bottom,), parameters, (span.values,))


@operators.register("Clip")
def clip(node: Node, net: Translation) -> Value:
    """Only what is a ReLU, or nothing at all."""
    bottom = net.blob(node, 0)
    limits = []
    for index, (name, default) in enumerate((("min", -math.inf), ("max", math.inf)), start=1):
        if net.opset < 11:
            limits.append(node.number(name, default))
        else:
            limits.append(net.scalar(node, index) if node.reads(index) else default)
    low, high = limits
    unlimited = float(np.finfo(np.float32).max)
    if low is not None and high is not None and high >= unlimited:
        if low == 0:
            return net.add(node, "ReLU", (bottom,), ReLUParameters())
        if low <= -unlimited:
            return bottom
    words = [f"{limit:g}" if limit is not None else "a computed limit" for limit in limits]
    raise node.error(f"min must be 0 and max must be absent, not {words[0]} and {words[1]}: nothing else is supported")


@operators.register("Softmax")
def softmax(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    axis = node.axis(-1 if net.opset >= 13 else 1, bottom.shape.rank)
    behind = math.prod(bottom.shape.dims[axis + 1:])
    if net.opset < 13 and behind != 1:
        raise node.error(f"all dimensions behind axis {axis} must be 1 before opset 13, where softmax runs over them "
                         "too: nothing else is supported")
    return net.add(node, "Softmax", (bottom,), SoftmaxParameters(axis=axis))


def _approximation(node: Node) -> Approximation:
    word = node.text("approximate", "none")
    if word not in ("none", "tanh"):
        raise node.error("approximate must be none or tanh")
    return Approximation[word.upper()]
