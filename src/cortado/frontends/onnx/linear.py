"""Products of matrices: Gemm, MatMul."""

from __future__ import annotations

import numpy as np

from cortado.frontends.onnx.element import FLOAT
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.repeated import on_distinct
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.layers.binary import BinaryOperation, BinaryParameters
from cortado.layers.inner_product import InnerProductParameters
from cortado.layers.layer import NoParameters
from cortado.layers.permute import PermuteParameters
from cortado.layers.power import PowerParameters


@operators.register("Gemm")
def gemm(node: Node, net: Translation) -> Value:
    """alpha * A B + beta * C: an inner product where B and C are constants and C is the same for each row."""
    left = net.blob(node, 0)
    if left.shape.rank != 2:
        raise node.error(f"input 0 must have two dimensions, not {left.shape}")
    right, alpha, beta = net.value(node, 1), node.number("alpha", 1.0), node.number("beta", 1.0)
    turned = node.integer("transB", 0) != 0
    bias = net.value(node, 2) if node.reads(2) else None
    if (isinstance(right, np.ndarray) and left.element is FLOAT and not node.integer("transA", 0)
            and (bias is None or isinstance(bias, np.ndarray))):
        matrix = _matrix(node, net)
        weight = _scaled(matrix if turned else matrix.T, alpha)
        if bias is None or bias.shape in ((), (1,), (1, 1), (len(weight),), (1, len(weight))):
            blobs = [weight]
            if bias is not None:
                blobs.append(np.broadcast_to(_scaled(net.numbers(node, 2), beta).reshape(-1), weight.shape[:1]))
            parameters = InnerProductParameters(num_output=len(weight), bias_term=len(blobs) == 2)
            return net.add(node, "InnerProduct", (left,), parameters, blobs)
    left = _turned(node, net, left, node.integer("transA", 0) != 0, "a")
    other = _turned(node, net, net.blob(node, 1), turned, "b")
    _check_one_element(node, left, other)
    scaled = beta != 1 and bias is not None
    product = net.add(node, "MatMul", (left, other), NoParameters(),
                      part="product" if bias is not None or alpha != 1 else "")
    if alpha != 1:
        product = net.add(node, "Power", (product,), PowerParameters(scale=alpha),
                          part="scaled" if bias is not None else "")
    if bias is None:
        return product
    summand = net.blob(node, 2)
    _check_one_element(node, left, summand)
    if scaled:
        summand = net.add(node, "Power", (summand,), PowerParameters(scale=beta), part="c")
    return net.add(node, "Binary", (product, summand), BinaryParameters(operation=BinaryOperation.ADD))


@operators.register("MatMul")
def matmul(node: Node, net: Translation) -> Value:
    """Every row of a blob of any dimensions times a constant matrix is an inner product."""
    right, left = net.value(node, 1), net.blob(node, 0)
    if isinstance(right, np.ndarray) and right.ndim == 2 and left.element is FLOAT and left.shape.rank > 1:
        weight = _matrix(node, net).T
        parameters = InnerProductParameters(num_output=len(weight), bias_term=False, axis=left.shape.rank - 1)
        return net.add(node, "InnerProduct", (left,), parameters, (weight,))
    other = net.blob(node, 1)
    _check_one_element(node, left, other)
    return net.add(node, "MatMul", (left, other), NoParameters())


def _turned(node: Node, net: Translation, bottom: Blob, turned: bool, part: str) -> Blob:
    if bottom.shape.rank != 2:
        raise node.error(f"inputs 0 and 1 must have two dimensions, not {bottom.shape}")
    return net.add(node, "Permute", (bottom,), PermuteParameters(order=(1, 0)), part=part) if turned else bottom


def _check_one_element(node: Node, one: Blob, other: Blob) -> None:
    if one.element is not other.element:
        raise node.error(f"inputs must be of one element type, not {one.element.name} and {other.element.name}")


def _matrix(node: Node, net: Translation) -> np.ndarray:
    matrix = net.numbers(node, 1)
    if matrix.ndim != 2:
        raise node.error(f"input 1 must be a matrix, it has {matrix.ndim} dimensions")
    return matrix


def _scaled(values: np.ndarray, factor: float) -> np.ndarray:
    return values if factor == 1 else on_distinct(lambda distinct: distinct * np.float32(factor), values)
