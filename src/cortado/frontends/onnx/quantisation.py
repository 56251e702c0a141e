"""Whole numbers of few bits that stand for real values, and products of them."""

from __future__ import annotations

from dataclasses import replace

import ml_dtypes
import numpy as np

from cortado.frontends.onnx.convolution import add_convolution
from cortado.frontends.onnx.element import CONVERTED, REAL
from cortado.frontends.onnx.node import QONNX, Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.tensor import element_name, element_of
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.frontends.onnx.window import read_window
from cortado.layers.bias import BiasParameters
from cortado.layers.binary import BinaryOperation, BinaryParameters
from cortado.layers.cast import CastParameters
from cortado.layers.clip import ClipParameters
from cortado.layers.element_type import ElementType
from cortado.layers.layer import NoParameters
from cortado.layers.parameter import ParameterShape
from cortado.layers.quant import QuantParameters, Rounding
from cortado.layers.quantize_linear import LinearScaleParameters
from cortado.layers.unary import UnaryOperation, UnaryParameters

# Biases are split where float32, as weights are, does not hold them: both parts are whole numbers it does.
_LOW_BITS = 12


@operators.register("QuantizeLinear")
def quantize_linear(node: Node, net: Translation) -> Value:
    bottom, block, axis = net.blob(node, 0), node.integer("block_size", 0), node.integer("axis", 1)
    wanted = node.integer("output_dtype", 0) or ElementType.UINT8.value
    node.choice("precision", 0, 0)
    if not isinstance(net.value(node, 1), np.ndarray) and net.blob(node, 1).shape.count == 1:
        return _quantized_by_blobs(node, net, bottom, node.integer("saturate", 1) != 0)
    scale, zero_point = net.numbers(node, 1), None
    element = element_of(wanted)
    if node.reads(2):
        zero_point = net.constant(node, 2)
        element = CONVERTED.get(zero_point.dtype)
    if element is None or (element.is_real and not element.is_small) or element is ElementType.BOOL:
        raise node.error("output must be whole numbers, or real ones of few bits, of a type that is supported, not "
                         f"{element.name if element else element_name(wanted)}")
    return _quantized(node, net, bottom, scale, zero_point, element, axis=axis, block_size=block,
                      saturate=node.integer("saturate", 1) != 0)


@operators.register("DequantizeLinear")
def dequantize_linear(node: Node, net: Translation) -> Value:
    bottom, block, axis = net.blob(node, 0), node.integer("block_size", 0), node.integer("axis", 1)
    scale = net.constant(node, 1)
    wanted = node.integer("output_dtype", 0)
    element = element_of(wanted) if wanted else ElementType.FLOAT16 if scale.dtype == np.float16 else ElementType.FLOAT
    whole = bottom.element.is_small or (not bottom.element.is_real and bottom.element is not ElementType.BOOL)
    if element is None or element not in REAL or not whole:
        raise node.error(f"input 0 must be whole numbers or of few bits and the output real numbers, not "
                         f"{bottom.element.name} and {element.name if element else element_name(wanted)}")
    zero_point = net.constant(node, 2) if node.reads(2) else None
    return _dequantized(node, net, bottom, net.numbers(node, 1), zero_point, element, axis=axis, block_size=block)


@operators.register("QLinearConv")
def quantized_convolution(node: Node, net: Translation) -> Value:
    """The whole numbers' convolution, exact in double, and what it is in the output's scale."""
    x = _whole(node, net, 0, 2)
    sums = _exact_convolution(node, net, x, _whole_weight(node, net, 3, 5), "sums")
    if node.reads(8):
        sums = _with_bias(node, net, sums, net.constant(node, 8))
    multiplier = net.numbers(node, 6) / (net.numbers(node, 1) * net.numbers(node, 4))
    return _requantized(node, net, sums, multiplier, net.constant(node, 7))


@operators.register("ConvInteger")
def integer_convolution(node: Node, net: Translation) -> Value:
    x = _whole(node, net, 0, 2)
    sums = _exact_convolution(node, net, x, _whole_weight(node, net, 1, 3), "sums")
    return net.add(node, "Cast", (sums,), CastParameters(to=ElementType.INT32), element=ElementType.INT32)


@operators.register("QLinearMatMul")
def quantized_matmul(node: Node, net: Translation) -> Value:
    sums = net.add(node, "MatMul", (_whole(node, net, 0, 2), _whole(node, net, 3, 5)), NoParameters(), part="sums")
    multiplier = net.numbers(node, 6) / (net.numbers(node, 1) * net.numbers(node, 4))
    return _requantized(node, net, sums, multiplier, net.constant(node, 7))


@operators.register("MatMulInteger")
def integer_matmul(node: Node, net: Translation) -> Value:
    sums = net.add(node, "MatMul", (_whole(node, net, 0, 2), _whole(node, net, 1, 3)), NoParameters(), part="sums")
    return net.add(node, "Cast", (sums,), CastParameters(to=ElementType.INT32), element=ElementType.INT32)


@operators.register(f"{QONNX}.Quant")
def quant(node: Node, net: Translation) -> Value:
    """Source: QONNX, docs/qonnx-custom-ops/quant_op.md."""
    bottom, scale, zero_point, bits = (net.blob(node, 0), net.numbers(node, 1), net.numbers(node, 2),
                                       net.scalar(node, 3))
    if bits is None or not 1 <= bits <= 32:
        raise node.error("input 3 (bitwidth) must be one number from 1 to 32")
    signed, narrow = node.integer("signed", 1) != 0, node.integer("narrow", 0) != 0
    if signed and bits < 2:
        # QONNX takes it for -1 and 1.
        raise node.error("one bit with a sign is not supported: bitwidth must be at least 2, or signed 0")
    word = node.text("rounding_mode", "ROUND").upper()
    word = "DOWN" if word == "ROUND_TO_ZERO" else word
    if word not in Rounding.__members__:
        raise node.error(f"rounding_mode must be one of {', '.join(Rounding.__members__)}")
    if signed:
        least, most = -2 ** (bits - 1) + narrow, 2 ** (bits - 1) - 1
    else:
        least, most = 0.0, 2**bits - 1 - narrow
    parameters = QuantParameters(scale_shape=ParameterShape(dim=scale.shape),
                                 zero_point_shape=ParameterShape(dim=zero_point.shape), least=float(least),
                                 most=float(most), rounding=Rounding[word])
    return net.add(node, "Quant", (bottom,), parameters, (scale, zero_point))


def _quantized(node: Node, net: Translation, bottom: Blob, scale: np.ndarray, zero_point: np.ndarray | None,
               element: ElementType, *, axis: int = 1, block_size: int = 0, saturate: bool = True) -> Blob:
    parameters = replace(_scale_parameters(node, bottom, scale, element, axis, block_size), saturate=saturate)
    return net.add(node, "QuantizeLinear", (bottom,), parameters, _scale_blobs(node, scale, zero_point),
                   element=element)


def _quantized_by_blobs(node: Node, net: Translation, bottom: Blob, saturate: bool) -> Value:
    """By one scale and zero point that are computed, step by step."""
    zero_point = net.blob(node, 2) if node.reads(2) else net.constant_blob(node, np.zeros((), np.uint8))
    element = zero_point.element
    if zero_point.shape.count != 1 or (element.is_real and not element.is_small):
        raise node.error("the zero point must be one whole number, or one of few bits")
    quotient = net.add(node, "Binary", (bottom, net.blob(node, 1)), BinaryParameters(operation=BinaryOperation.DIV),
                       part="quotient")
    if element.is_real:
        zero = net.add(node, "Cast", (zero_point,), CastParameters(to=bottom.element), part="zero",
                       element=bottom.element)
        moved = net.add(node, "Binary", (quotient, zero), BinaryParameters(operation=BinaryOperation.ADD), part="moved")
        return net.add(node, "Cast", (moved,), CastParameters(to=element, saturate=saturate), element=element)
    whole = net.add(node, "Unary", (quotient,), UnaryParameters(operation=UnaryOperation.ROUND), part="whole")
    zero = net.add(node, "Cast", (zero_point,), CastParameters(to=bottom.element), part="zero", element=bottom.element)
    moved = net.add(node, "Binary", (whole, zero), BinaryParameters(operation=BinaryOperation.ADD), part="moved")
    limits = ml_dtypes.iinfo(element.numpy)
    clipped = net.add(node, "Clip", (moved,), ClipParameters(min=float(limits.min), max=float(limits.max)),
                      part="clipped")
    return net.add(node, "Cast", (clipped,), CastParameters(to=element), element=element)


def _dequantized(node: Node, net: Translation, bottom: Blob, scale: np.ndarray, zero_point: np.ndarray | None,
                 element: ElementType, *, axis: int = 1, block_size: int = 0, part: str = "") -> Blob:
    return net.add(node, "DequantizeLinear", (bottom,),
                   _scale_parameters(node, bottom, scale, element, axis, block_size),
                   _scale_blobs(node, scale, zero_point), part=part, element=element)


def _scale_parameters(node: Node, bottom: Blob, scale: np.ndarray, element: ElementType, axis: int,
                      block_size: int) -> LinearScaleParameters:
    """One scale, however it is written, has no axis."""
    if scale.size == 1 and not block_size:
        return LinearScaleParameters(element=element)
    return LinearScaleParameters(element=element, axis=node.front_axis(axis, bottom.shape.rank), block_size=block_size,
                                 shape=ParameterShape(dim=scale.shape))


def _scale_blobs(node: Node, scale: np.ndarray, zero_point: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    if zero_point is None:
        zero_point = np.zeros(scale.shape)
    if zero_point.shape != scale.shape and (zero_point.size, scale.size) != (1, 1):
        raise node.error("scale and zero point must be of one shape")
    shape = () if scale.size == 1 and scale.ndim < 2 else scale.shape
    return scale.reshape(shape), zero_point.astype(np.float32).reshape(shape)


def _whole(node: Node, net: Translation, index: int, zero_index: int) -> Blob:
    """Input `index` less its zero point, as DOUBLE, in which products and sums of few bits are exact."""
    bottom = net.blob(node, index)
    if bottom.element not in (ElementType.INT8, ElementType.UINT8):
        raise node.error(f"input {index} must be INT8 or UINT8, not {bottom.element.name}")
    zero_point = net.constant(node, zero_index) if node.reads(zero_index) else np.zeros((), np.int64)
    axis = 1
    if zero_point.size > 1:
        # Of the rows on the left and the columns on the right.
        axis = bottom.shape.rank - (2 if index == 0 else 1)
        zero_point = zero_point.reshape(-1)
    return _dequantized(node, net, bottom, np.ones(zero_point.shape, np.float32), zero_point, ElementType.DOUBLE,
                        axis=axis, part=f"whole{index}")


def _whole_weight(node: Node, net: Translation, index: int, zero_index: int) -> np.ndarray:
    """A constant weight less its zero point, which may be one for each filter; float32 holds it."""
    weight = net.constant(node, index)
    zero_point = net.constant(node, zero_index) if node.reads(zero_index) else np.zeros((), np.int64)
    if weight.dtype not in (np.int8, np.uint8) or zero_point.size not in (1, *weight.shape[:1]):
        raise node.error(f"input {index} must be INT8 or UINT8 with one zero point, or one for each filter")
    zero_point = zero_point.reshape(-1, *(1,) * (weight.ndim - 1)) if zero_point.size > 1 else zero_point.reshape(())
    return (weight.astype(np.int64) - zero_point.astype(np.int64)).astype(np.float32)


def _exact_convolution(node: Node, net: Translation, bottom: Blob, weight: np.ndarray, part: str) -> Blob:
    if bottom.shape.rank not in (3, 4) or weight.ndim != bottom.shape.rank:
        raise node.error("inputs must be of three or four dimensions (N, C, ...)")
    window = read_window(node, bottom.shape, weight.shape[2:])
    return add_convolution(node, net, bottom, window, weight, [], part=part)


def _with_bias(node: Node, net: Translation, sums: Blob, bias: np.ndarray) -> Blob:
    if bias.dtype != np.int32 or bias.ndim != 1:
        raise node.error("input 8 must be one whole number (INT32) for each filter")
    low = bias.astype(np.int64) % 2**_LOW_BITS
    for name, part in (("high", bias - low), ("low", low)):
        sums = net.add(node, "Bias", (sums,), BiasParameters(), (part.astype(np.float32),), part=name)
    return sums


def _requantized(node: Node, net: Translation, sums: Blob, multiplier: np.ndarray, zero_point: np.ndarray) -> Blob:
    """Sums in the output's scale: divided by the share of scales, one or one for each filter or column."""
    if not np.isfinite(multiplier).all() or zero_point.dtype.kind not in "iu" or zero_point.size != 1:
        raise node.error("scales must be numbers above 0, and the output's zero point one whole number")
    axis = 1 if node.operator == "QLinearConv" else sums.shape.rank - 1
    if multiplier.size > 1:
        multiplier = multiplier.reshape(-1)
    zero = np.broadcast_to(zero_point.reshape(()), multiplier.shape)
    element = ElementType[zero_point.dtype.name.upper()]
    return _quantized(node, net, sums, multiplier, zero, element, axis=axis)
