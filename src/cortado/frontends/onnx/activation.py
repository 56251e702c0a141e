"""Functions of each value by itself, and Softmax."""

from __future__ import annotations

import math
from collections.abc import Callable

import ml_dtypes
import numpy as np

from cortado.frontends.onnx.element import FLOAT, HALVES
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.repeated import as_type
from cortado.frontends.onnx.reshaped import add_reshape
from cortado.frontends.onnx.span import find_span
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.layers.binary import BinaryOperation, BinaryParameters
from cortado.layers.clip import ClipParameters
from cortado.layers.element_type import ElementType
from cortado.layers.eltwise import EltwiseOperation, EltwiseParameters
from cortado.layers.elu import ELUParameters
from cortado.layers.exp import ExpParameters
from cortado.layers.gelu import Approximation, GeluParameters
from cortado.layers.layer import NoParameters
from cortado.layers.log import LogParameters
from cortado.layers.log_softmax import LogSoftmaxParameters
from cortado.layers.power import PowerParameters
from cortado.layers.prelu import PReLUParameters
from cortado.layers.reduce import ReduceOperation, ReduceParameters
from cortado.layers.relu import ReLUParameters
from cortado.layers.sigmoid import SigmoidParameters
from cortado.layers.softmax import SoftmaxParameters
from cortado.layers.tanh import TanHParameters
from cortado.layers.unary import UnaryOperation, UnaryParameters

# Operators that are a layer type, and its parameters.
_LAYERS: dict[str, tuple[str, Callable[[Node], object]]] = {
    "Abs": ("AbsVal", lambda node: NoParameters()),
    "Elu": ("ELU", lambda node: ELUParameters(alpha=node.number("alpha", 1.0))),
    "Exp": ("Exp", lambda node: ExpParameters()),
    "Gelu": ("Gelu", lambda node: GeluParameters(approximate=_approximation(node))),
    "LeakyRelu": ("ReLU", lambda node: ReLUParameters(negative_slope=node.number("alpha", 0.01))),
    "Log": ("Log", lambda node: LogParameters()),
    "Relu": ("ReLU", lambda node: ReLUParameters()),
    "Sigmoid": ("Sigmoid", lambda node: SigmoidParameters()),
    "Sqrt": ("Power", lambda node: PowerParameters(power=0.5)),
    "Tanh": ("TanH", lambda node: TanHParameters()),
}

_UNARY = {"Acos": UnaryOperation.ACOS, "Acosh": UnaryOperation.ACOSH, "Asin": UnaryOperation.ASIN,
          "Asinh": UnaryOperation.ASINH, "Atan": UnaryOperation.ATAN, "Atanh": UnaryOperation.ATANH,
          "Ceil": UnaryOperation.CEIL, "Cos": UnaryOperation.COS, "Cosh": UnaryOperation.COSH,
          "Erf": UnaryOperation.ERF, "Floor": UnaryOperation.FLOOR, "Mish": UnaryOperation.MISH,
          "Reciprocal": UnaryOperation.RECIPROCAL, "Round": UnaryOperation.ROUND, "Sign": UnaryOperation.SIGN,
          "Sin": UnaryOperation.SIN, "Sinh": UnaryOperation.SINH, "Softplus": UnaryOperation.SOFTPLUS,
          "Softsign": UnaryOperation.SOFTSIGN, "Tan": UnaryOperation.TAN}

UNLIMITED = float(np.finfo(np.float32).max)


@operators.register(*_LAYERS)
def function(node: Node, net: Translation) -> Value:
    layer_type, parameters = _LAYERS[node.operator]
    return net.add(node, layer_type, (net.blob(node, 0),), parameters(node))


@operators.register(*_UNARY)
def unary(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    if bottom.element is ElementType.BOOL:
        raise node.error("input 0 must be numbers, not truth values")
    return net.add(node, "Unary", (bottom,), UnaryParameters(operation=_UNARY[node.operator]))


@operators.register("Neg")
def negate(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    if bottom.element is FLOAT:
        return net.add(node, "Power", (bottom,), PowerParameters(scale=-1.0))
    return net.add(node, "Unary", (bottom,), UnaryParameters(operation=UnaryOperation.NEGATE))


@operators.register("Not")
def negation(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    if bottom.element is not ElementType.BOOL:
        raise node.error("input 0 must be truth values (BOOL)")
    return net.add(node, "Unary", (bottom,), UnaryParameters(operation=UnaryOperation.NOT))


@operators.register("IsNaN")
def is_nan(node: Node, net: Translation) -> Value:
    return net.add(node, "Unary", (net.blob(node, 0),), UnaryParameters(operation=UnaryOperation.IS_NAN),
                   element=ElementType.BOOL)


@operators.register("PRelu")
def prelu(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    slope = net.value(node, 1)
    if isinstance(slope, np.ndarray) and bottom.element is FLOAT:
        span = find_span(bottom.shape, net.numbers(node, 1))
        if span is not None and (span.values.ndim == 0 or (span.axis == 1 and span.values.ndim == 1)):
            parameters = PReLUParameters(channel_shared=span.values.ndim == 0)
            return net.add(node, "PReLU", (bottom,), parameters, (span.values,))
    operation = BinaryParameters(operation=BinaryOperation.PRELU)
    return net.add(node, "Binary", (bottom, net.blob(node, 1)), operation)


@operators.register("Clip")
def clip(node: Node, net: Translation) -> Value:
    """A ReLU or nothing at all where it is one; limits that are computed become a maximum and a minimum."""
    bottom = net.blob(node, 0)
    limits: list[float | None] = []
    for index, (name, default) in enumerate((("min", -math.inf), ("max", math.inf)), start=1):
        if net.opset < 11:
            limits.append(node.number(name, default))
        else:
            limits.append(net.scalar(node, index) if node.reads(index) else default)
    low, high = limits
    if low is None or high is None:
        return _clip_by_blobs(node, net, bottom)
    if bottom.element is FLOAT and high >= UNLIMITED:
        if low == 0:
            return net.add(node, "ReLU", (bottom,), ReLUParameters())
        if low <= -UNLIMITED:
            return bottom
    if bottom.element is ElementType.BOOL:
        raise node.error("input 0 must be numbers, not truth values")
    if not bottom.element.is_real:
        numbers = ml_dtypes.iinfo(bottom.element.numpy)
        low, high = max(low, int(numbers.min)), min(high, int(numbers.max))
    # Where the limits cross, the upper one wins.
    parameters = ClipParameters(min=max(min(low, high), -UNLIMITED), max=min(high, UNLIMITED))
    return net.add(node, "Clip", (bottom,), parameters)


def _clip_by_blobs(node: Node, net: Translation, bottom: Blob) -> Value:
    wanted = [index for index in (1, 2) if node.reads(index)]
    for index in wanted:
        limit = net.blob(node, index)
        if limit.shape.count != 1 or limit.element is not bottom.element:
            raise node.error(f"input {index} must be one number of the element type of input 0")
        operation = BinaryOperation.MAX if index == 1 else BinaryOperation.MIN
        bottom = net.add(node, "Binary", (bottom, limit), BinaryParameters(operation=operation),
                         part="" if index == wanted[-1] else "min")
    return bottom


@operators.register("Softmax", "LogSoftmax")
def softmax(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    rank = bottom.shape.rank
    axis = node.axis(-1 if net.opset >= 13 else 1, rank)
    if node.operator == "Softmax" and net.opset >= 13 and bottom.element in HALVES:
        return _stepwise_softmax(node, net, bottom, axis)
    parameters = SoftmaxParameters if node.operator == "Softmax" else LogSoftmaxParameters
    if net.opset >= 13 or math.prod(bottom.shape.dims[axis + 1:]) == 1:
        return net.add(node, node.operator, (bottom,), parameters(axis=axis))
    # Before opset 13 it runs over all axes from there on.
    dims = (*bottom.shape.dims[:axis], math.prod(bottom.shape.dims[axis:]))
    flat = add_reshape(node, net, bottom, dims, part="flat")
    result = net.add(node, node.operator, (flat,), parameters(axis=axis), part="softmax")
    return add_reshape(node, net, result, bottom.shape.dims)


def _stepwise_softmax(node: Node, net: Translation, bottom: Blob, axis: int) -> Value:
    """As the operator's own function in ONNX has it: a type of 16 bits is rounded to after every step."""
    largest, total = (ReduceParameters(operation=operation, axis=(axis,), keep_dims=True)
                      for operation in (ReduceOperation.MAX, ReduceOperation.SUM))
    most = net.add(node, "Reduce", (bottom,), largest, part="most")
    less = net.add(node, "Binary", (bottom, most), BinaryParameters(operation=BinaryOperation.SUB), part="less")
    powers = net.add(node, "Exp", (less,), ExpParameters(), part="powers")
    sums = net.add(node, "Reduce", (powers,), total, part="sums")
    return net.add(node, "Binary", (powers, sums), BinaryParameters(operation=BinaryOperation.DIV))


@operators.register("HardSigmoid")
def hard_sigmoid(node: Node, net: Translation) -> Value:
    """max(0, min(1, alpha x + beta))."""
    return _hard_sigmoid(node, net, net.blob(node, 0), node.number("alpha", 0.2), node.number("beta", 0.5))


@operators.register("HardSwish")
def hard_swish(node: Node, net: Translation) -> Value:
    """x max(0, min(1, x / 6 + 1 / 2))."""
    bottom = net.blob(node, 0)
    gate = _hard_sigmoid(node, net, bottom, 1 / 6, 0.5, part="gate")
    return _product(node, net, bottom, gate)


@operators.register("Swish")
def swish(node: Node, net: Translation) -> Value:
    """x sigmoid(alpha x)."""
    bottom, alpha = net.blob(node, 0), node.number("alpha", 1.0)
    inner = bottom if alpha == 1 else net.add(node, "Power", (bottom,), PowerParameters(scale=alpha), part="scaled")
    return _product(node, net, bottom, net.add(node, "Sigmoid", (inner,), SigmoidParameters(), part="gate"))


@operators.register("Selu")
def selu(node: Node, net: Translation) -> Value:
    """gamma ELU(x). Source: Klambauer et al. 2017, equation 2."""
    alpha = node.number("alpha", 1.67326319217681884765625)
    inner = net.add(node, "ELU", (net.blob(node, 0),), ELUParameters(alpha=alpha), part="elu")
    return net.add(node, "Power", (inner,), PowerParameters(scale=node.number("gamma", 1.05070102214813232421875)))


@operators.register("Celu")
def celu(node: Node, net: Translation) -> Value:
    """alpha ELU(x / alpha). Source: Barron 2017, equation 2."""
    alpha = node.number("alpha", 1.0)
    if alpha == 0:
        raise node.error("alpha must not be 0")
    inner = net.add(node, "Power", (net.blob(node, 0),), PowerParameters(scale=1 / alpha), part="scaled")
    middle = net.add(node, "ELU", (inner,), ELUParameters(), part="elu")
    return net.add(node, "Power", (middle,), PowerParameters(scale=alpha))


@operators.register("ThresholdedRelu")
def thresholded_relu(node: Node, net: Translation) -> Value:
    """x where it is above alpha, else 0."""
    bottom, element = net.blob(node, 0), net.blob(node, 0).element
    limit, zero = (net.constant_blob(node, as_type(np.array(value), element.numpy))
                   for value in (node.number("alpha", 1.0), 0.0))
    above = net.add(node, "Binary", (bottom, limit), BinaryParameters(operation=BinaryOperation.GREATER), part="above",
                    element=ElementType.BOOL)
    return net.add(node, "Where", (above, bottom, zero), NoParameters(), element=element)


def _hard_sigmoid(node: Node, net: Translation, bottom: Blob, alpha: float, beta: float, part: str = "") -> Blob:
    inner = net.add(node, "Power", (bottom,), PowerParameters(scale=alpha, shift=beta), part="line")
    return net.add(node, "Clip", (inner,), ClipParameters(min=0.0, max=1.0), part=part)


def _product(node: Node, net: Translation, one: Blob, other: Blob) -> Blob:
    if one.element is FLOAT:
        return net.add(node, "Eltwise", (one, other), EltwiseParameters(operation=EltwiseOperation.PROD))
    return net.add(node, "Binary", (one, other), BinaryParameters(operation=BinaryOperation.MUL))


def _approximation(node: Node) -> Approximation:
    word = node.text("approximate", "none")
    if word not in ("none", "tanh"):
        raise node.error("approximate must be none or tanh")
    return Approximation[word.upper()]
