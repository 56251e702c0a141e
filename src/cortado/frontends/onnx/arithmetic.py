"""Sums, products, powers and comparisons, broadcast as NumPy does: of blobs, or of a blob and a constant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cortado.frontends.onnx.element import FLOAT
from cortado.frontends.onnx.neighbourhood import Neighbourhood
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.repeated import on_distinct
from cortado.frontends.onnx.span import Span, find_span
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.layers.bias import BiasParameters
from cortado.layers.binary import BinaryOperation, BinaryParameters
from cortado.layers.element_type import ElementType
from cortado.layers.eltwise import EltwiseOperation, EltwiseParameters
from cortado.layers.layer import NoParameters
from cortado.layers.power import PowerParameters
from cortado.layers.scale import ScaleParameters

# Layers whose bias a constant behind them can become.
_TAKES_BIAS = {"Convolution": 1, "InnerProduct": -1}

# What Caffe has a layer for where all bottoms have one shape.
_ELTWISE = {BinaryOperation.ADD: EltwiseOperation.SUM, BinaryOperation.MUL: EltwiseOperation.PROD,
            BinaryOperation.MAX: EltwiseOperation.MAX}

_COMPARISONS = {"Equal": BinaryOperation.EQUAL, "Less": BinaryOperation.LESS,
                "LessOrEqual": BinaryOperation.LESS_OR_EQUAL, "Greater": BinaryOperation.GREATER,
                "GreaterOrEqual": BinaryOperation.GREATER_OR_EQUAL}
_LOGIC = {"And": BinaryOperation.AND, "Or": BinaryOperation.OR, "Xor": BinaryOperation.XOR}


@operators.register("Add", "Sub")
def add(node: Node, net: Translation) -> Value:
    subtracts = node.operator == "Sub"
    operation = BinaryOperation.SUB if subtracts else BinaryOperation.ADD
    index = _constant_index(node, net)
    if index is None:
        return _combined(node, net, operation)
    summand = net.numbers(node, index)
    value = net.value(node, 1 - index)
    if isinstance(value, Neighbourhood) and not subtracts and value.size is not None:
        return value.plus(node, _number(node, summand))
    bottom = net.blob(node, 1 - index)
    if subtracts and index == 0:
        if summand.size != 1 or summand.ndim > bottom.shape.rank or not np.isfinite(summand).all():
            return _combined(node, net, operation)
        return net.add(node, "Power", (bottom,), PowerParameters(scale=-1.0, shift=float(summand.reshape(()))))
    span = find_span(bottom.shape, on_distinct(lambda distinct: -distinct if subtracts else distinct, summand))
    if span is None or not np.isfinite(span.values).all():
        return _combined(node, net, operation)
    taken = _as_bias(node, net, 1 - index, bottom, span)
    if taken is not None:
        return taken
    if span.values.ndim == 0:
        return net.add(node, "Power", (bottom,), PowerParameters(shift=float(span.values)))
    parameters = BiasParameters(axis=span.axis, num_axes=span.values.ndim)
    return net.add(node, "Bias", (bottom,), parameters, (span.values,))


@operators.register("Mul")
def multiply(node: Node, net: Translation) -> Value:
    index = _constant_index(node, net)
    if index is None:
        bottom = net.blob(node, 0)
        if bottom == net.blob(node, 1) and bottom.shape.rank == 4 and bottom.element is FLOAT:
            # Alone these are squares; together with what may follow they normalise.
            return Neighbourhood(node=node, source=bottom, dims=bottom.shape.dims)
        return _combined(node, net, BinaryOperation.MUL)
    factor = net.numbers(node, index)
    value = net.value(node, 1 - index)
    if isinstance(value, Neighbourhood) and value.size is not None:
        return value.times(node, _number(node, factor))
    return _scaled(node, net, net.blob(node, 1 - index), factor, BinaryOperation.MUL)


@operators.register("Div")
def divide(node: Node, net: Translation) -> Value:
    divisor = net.value(node, 1)
    if isinstance(divisor, Neighbourhood) and divisor.axis is not None:
        return divisor.dividing(node, net, net.blob(node, 0))
    if _constant_index(node, net) != 1:
        return _combined(node, net, BinaryOperation.DIV)
    factor = on_distinct(lambda distinct: 1 / distinct, net.numbers(node, 1))
    return _scaled(node, net, net.blob(node, 0), factor, BinaryOperation.DIV)


@operators.register("Pow")
def power(node: Node, net: Translation) -> Value:
    exponent = net.scalar(node, 1)
    value = net.value(node, 0)
    if isinstance(value, Neighbourhood) and value.size is not None:
        if exponent is None:
            raise node.error("input 1 must be one constant number where squares are normalised")
        return value.raised(node, exponent)
    bottom = net.blob(node, 0)
    if exponent is None or not bottom.element.is_real or net.value(node, 1).ndim > bottom.shape.rank:
        parameters = BinaryParameters(operation=BinaryOperation.POW)
        return net.add(node, "Binary", (bottom, net.blob(node, 1)), parameters)
    if exponent == 2 and bottom.shape.rank == 4 and bottom.element is FLOAT:
        return Neighbourhood(node=node, source=bottom, dims=bottom.shape.dims)
    return net.add(node, "Power", (bottom,), PowerParameters(power=exponent))


@operators.register("Sum")
def add_all(node: Node, net: Translation) -> Value:
    return _combined(node, net, BinaryOperation.ADD)


@operators.register("Max")
def maximum(node: Node, net: Translation) -> Value:
    return _combined(node, net, BinaryOperation.MAX)


@operators.register("Min")
def minimum(node: Node, net: Translation) -> Value:
    return _combined(node, net, BinaryOperation.MIN)


@operators.register("Mean")
def mean(node: Node, net: Translation) -> Value:
    count = len(node.inputs)
    if count == 1:
        return net.blob(node, 0)
    total = _combined(node, net, BinaryOperation.ADD, part="sum")
    return net.add(node, "Power", (total,), PowerParameters(scale=1 / count))


@operators.register("Mod")
def remainder(node: Node, net: Translation) -> Value:
    """Before opset 28 `fmod` says whose sign the remainder has; of whole numbers it may be either's."""
    operation = BinaryOperation.FMOD if node.integer("fmod", 0) else BinaryOperation.MOD
    return _combined(node, net, operation)


@operators.register(*_COMPARISONS)
def compare(node: Node, net: Translation) -> Value:
    bottoms = _two(node, net)
    return net.add(node, "Binary", bottoms, BinaryParameters(operation=_COMPARISONS[node.operator]),
                   element=ElementType.BOOL)


@operators.register(*_LOGIC)
def logic(node: Node, net: Translation) -> Value:
    bottoms = _two(node, net)
    if any(bottom.element is not ElementType.BOOL for bottom in bottoms):
        raise node.error("both inputs must be truth values (BOOL)")
    return net.add(node, "Binary", bottoms, BinaryParameters(operation=_LOGIC[node.operator]))


@operators.register("Where")
def choose(node: Node, net: Translation) -> Value:
    condition, *values = (net.blob(node, index) for index in range(3))
    if condition.element is not ElementType.BOOL or values[0].element is not values[1].element:
        raise node.error("input 0 must be truth values (BOOL), and inputs 1 and 2 of one element type")
    return net.add(node, "Where", (condition, *values), NoParameters(), element=values[0].element)


def _combined(node: Node, net: Translation, operation: BinaryOperation, part: str = "") -> Value:
    """All inputs, one after the other; in one layer where Caffe has one."""
    bottoms = [net.blob(node, index) for index in range(len(node.inputs))]
    _check_one_element(node, bottoms)
    if len(bottoms) == 1:
        return bottoms[0]
    if (operation in _ELTWISE or operation is BinaryOperation.SUB) and bottoms[0].element is FLOAT and all(
            bottom.shape == bottoms[0].shape for bottom in bottoms):
        parameters = EltwiseParameters(operation=_ELTWISE.get(operation, EltwiseOperation.SUM),
                                       coeff=(1.0, -1.0) if operation is BinaryOperation.SUB else ())
        return net.add(node, "Eltwise", bottoms, parameters, part=part)
    result = bottoms[0]
    for index, bottom in enumerate(bottoms[1:], start=2):
        step = part if index == len(bottoms) else f"{part}{index}"
        result = net.add(node, "Binary", (result, bottom), BinaryParameters(operation=operation), part=step)
    return result


def _two(node: Node, net: Translation) -> tuple[Blob, Blob]:
    bottoms = net.blob(node, 0), net.blob(node, 1)
    _check_one_element(node, bottoms)
    return bottoms


def _check_one_element(node: Node, bottoms: Sequence[Blob]) -> None:
    if any(bottom.element is not bottoms[0].element for bottom in bottoms):
        found = ", ".join(bottom.element.name for bottom in bottoms)
        raise node.error(f"inputs must be of one element type, not {found}")


def _scaled(node: Node, net: Translation, bottom: Blob, factor: np.ndarray, operation: BinaryOperation) -> Value:
    span = find_span(bottom.shape, factor)
    # Trained blobs are finite.
    if span is None or not np.isfinite(span.values).all():
        return _combined(node, net, operation)
    if span.values.ndim == 0:
        return net.add(node, "Power", (bottom,), PowerParameters(scale=float(span.values)))
    parameters = ScaleParameters(axis=span.axis, num_axes=span.values.ndim)
    return net.add(node, "Scale", (bottom,), parameters, (span.values,))


def _as_bias(node: Node, net: Translation, index: int, bottom: Blob, span: Span) -> Blob | None:
    """The layer before with the constant as its bias, if it has none and nobody else reads what it makes."""
    layer = net.only_reader(node, index)
    if layer is None or layer.type not in _TAKES_BIAS or layer.parameters.bias_term:
        return None
    axis = _TAKES_BIAS[layer.type] % bottom.shape.rank
    if span.values.ndim and (span.axis != axis or span.values.ndim != 1):
        return None
    bias = np.broadcast_to(span.values, (layer.parameters.num_output,))
    weights = (*net.weights[layer.name], bias)
    return net.replace_last(replace(layer.parameters, bias_term=True), weights, node)


def _constant_index(node: Node, net: Translation) -> int | None:
    """Which of two inputs is a constant that Caffe's layers may take, beside a FLOAT blob; None if neither is."""
    if len(node.inputs) != 2:
        raise node.error(f"there must be two inputs, not {len(node.inputs)}")
    for index in (1, 0):
        value = net.value(node, index)
        if isinstance(value, np.ndarray) and value.dtype == np.float32:
            other = net.value(node, 1 - index)
            if not isinstance(other, Blob) or other.element is FLOAT:
                return index
    return None


def _number(node: Node, constant: np.ndarray) -> float:
    """One number of the parts of local response normalisation."""
    if math.prod(constant.shape) != 1:
        raise node.error("the constant must be one number as in torch.nn.LocalResponseNorm: nothing else is supported")
    return float(constant.reshape(()))
