"""Sums, products and powers: of blobs, or of a blob and a constant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cortado.frontends.onnx.neighbourhood import Neighbourhood
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.repeated import on_distinct
from cortado.frontends.onnx.span import Span, read_span
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.layers.bias import BiasParameters
from cortado.layers.eltwise import EltwiseOperation, EltwiseParameters
from cortado.layers.power import PowerParameters
from cortado.layers.scale import ScaleParameters

# Layers whose bias a constant behind them can become.
_TAKES_BIAS = {"Convolution": 1, "InnerProduct": -1}


@operators.register("Add", "Sub")
def add(node: Node, net: Translation) -> Value:
    constant = _constant_index(node, net)
    sign = -1.0 if node.operator == "Sub" else 1.0
    if constant is None:
        return _eltwise(node, net, EltwiseOperation.SUM, (1.0, -1.0) if sign < 0 else ())
    summand = net.numbers(node, constant)
    value = net.value(node, 1 - constant)
    if isinstance(value, Neighbourhood) and sign > 0 and value.size is not None:
        return value.plus(node, _number(node, summand))
    bottom = net.blob(node, 1 - constant)
    if sign < 0 and constant == 0:
        if summand.size != 1:
            raise node.error("input 0 must be one number or depend on the network's input")
        return net.add(node, "Power", (bottom,), PowerParameters(scale=-1.0, shift=float(summand.reshape(()))))
    span = read_span(node, bottom.shape, on_distinct(lambda distinct: distinct * np.float32(sign), summand))
    taken = _as_bias(node, net, 1 - constant, bottom, span)
    if taken is not None:
        return taken
    if span.values.ndim == 0:
        return net.add(node, "Power", (bottom,), PowerParameters(shift=float(span.values)))
    parameters = BiasParameters(axis=span.axis, num_axes=span.values.ndim)
    return net.add(node, "Bias", (bottom,), parameters, (span.values,))


@operators.register("Mul")
def multiply(node: Node, net: Translation) -> Value:
    constant = _constant_index(node, net)
    if constant is None:
        bottom = net.blob(node, 0)
        if bottom == net.blob(node, 1) and bottom.shape.rank == 4:
            # Alone these are squares; together with what may follow they normalise.
            return Neighbourhood(node=node, source=bottom, dims=bottom.shape.dims)
        return _eltwise(node, net, EltwiseOperation.PROD)
    factor = net.numbers(node, constant)
    value = net.value(node, 1 - constant)
    if isinstance(value, Neighbourhood) and value.size is not None:
        return value.times(node, _number(node, factor))
    return _scaled(node, net, net.blob(node, 1 - constant), factor)


@operators.register("Div")
def divide(node: Node, net: Translation) -> Value:
    divisor = net.value(node, 1)
    if isinstance(divisor, Neighbourhood):
        return divisor.dividing(node, net, net.blob(node, 0))
    if isinstance(divisor, Blob):
        raise node.error("input 1 must be a constant: quotients of blobs are not supported, but for local response "
                         "normalisation as torch.nn.LocalResponseNorm writes it")
    factor = on_distinct(lambda distinct: 1 / distinct, net.numbers(node, 1))
    return _scaled(node, net, net.blob(node, 0), factor)


@operators.register("Pow")
def power(node: Node, net: Translation) -> Value:
    exponent = net.scalar(node, 1)
    if exponent is None:
        raise node.error("input 1 must be one constant number: nothing else is supported")
    value = net.value(node, 0)
    if isinstance(value, Neighbourhood) and value.size is not None:
        return value.raised(node, exponent)
    bottom = net.blob(node, 0)
    if exponent == 2 and bottom.shape.rank == 4:
        return Neighbourhood(node=node, source=bottom, dims=bottom.shape.dims)
    return net.add(node, "Power", (bottom,), PowerParameters(power=exponent))


@operators.register("Sum")
def add_all(node: Node, net: Translation) -> Value:
    return _eltwise(node, net, EltwiseOperation.SUM)


@operators.register("Max")
def maximum(node: Node, net: Translation) -> Value:
    return _eltwise(node, net, EltwiseOperation.MAX)


def _eltwise(node: Node, net: Translation, operation: EltwiseOperation, coefficients: Sequence[float] = ()) -> Value:
    bottoms = [net.blob(node, index) for index in range(len(node.inputs))]
    if len(bottoms) == 1:
        return bottoms[0]
    for index, bottom in enumerate(bottoms):
        if bottom.shape != bottoms[0].shape:
            raise node.error(f"input {index} must have the shape {bottoms[0].shape} of input 0, not {bottom.shape}: "
                             "broadcasting is not supported between blobs")
    parameters = EltwiseParameters(operation=operation, coeff=tuple(coefficients))
    return net.add(node, "Eltwise", bottoms, parameters)


def _scaled(node: Node, net: Translation, bottom: Blob, factor: np.ndarray) -> Value:
    span = read_span(node, bottom.shape, factor)
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
    """Which of two inputs is a constant, if one is."""
    if len(node.inputs) != 2:
        raise node.error(f"there must be two inputs, not {len(node.inputs)}")
    return next((index for index in (1, 0) if isinstance(net.value(node, index), np.ndarray)), None)


def _number(node: Node, constant: np.ndarray) -> float:
    """One number of the parts of local response normalisation."""
    if math.prod(constant.shape) != 1:
        raise node.error("the constant must be one number as in torch.nn.LocalResponseNorm: nothing else is supported")
    return float(constant.reshape(()))
