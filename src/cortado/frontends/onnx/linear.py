"""Products with a constant matrix: Gemm, MatMul."""

from __future__ import annotations

import numpy as np

from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.repeated import on_distinct
from cortado.frontends.onnx.translation import Translation, Value
from cortado.layers.inner_product import InnerProductParameters


@operators.register("Gemm")
def gemm(node: Node, net: Translation) -> Value:
    """alpha * A B + beta * C, where A is a matrix that depends on the input, B and C are constants."""
    bottom = net.blob(node, 0)
    if bottom.shape.rank != 2:
        raise node.error(f"input 0 must have two dimensions, not {bottom.shape}")
    node.choice("transA", 0, 0)
    matrix = _matrix(node, net)
    weight = _scaled(matrix if node.integer("transB", 0) else matrix.T, node.number("alpha", 1.0))
    beta = node.number("beta", 1.0)
    blobs = [weight]
    if node.reads(2):
        summand = net.numbers(node, 2)
        if summand.ndim > 2 or summand.shape[-1:] not in ((), (1,), weight.shape[:1]) or summand.shape[:-1] not in (
                (), (1,)):
            raise node.error(f"input 2 must be {len(weight)} numbers, the same for each row, not "
                             f"{'x'.join(str(dim) for dim in summand.shape)}")
        blobs.append(np.broadcast_to(_scaled(summand, beta).reshape(-1), weight.shape[:1]))
    parameters = InnerProductParameters(num_output=len(weight), bias_term=len(blobs) == 2)
    return net.add(node, "InnerProduct", (bottom,), parameters, blobs)


@operators.register("MatMul")
def matmul(node: Node, net: Translation) -> Value:
    """Every row of a blob of any dimensions times a constant matrix."""
    bottom = net.blob(node, 0)
    if bottom.shape.rank < 2:
        raise node.error(f"input 0 must have at least two dimensions, not {bottom.shape}")
    weight = _matrix(node, net).T
    parameters = InnerProductParameters(num_output=len(weight), bias_term=False, axis=bottom.shape.rank - 1)
    return net.add(node, "InnerProduct", (bottom,), parameters, (weight,))


def _matrix(node: Node, net: Translation) -> np.ndarray:
    matrix = net.numbers(node, 1)
    if matrix.ndim != 2:
        raise node.error(f"input 1 must be a matrix, it has {matrix.ndim} dimensions")
    return matrix


def _scaled(values: np.ndarray, factor: float) -> np.ndarray:
    return values if factor == 1 else on_distinct(lambda distinct: distinct * np.float32(factor), values)
