"""Blobs value by value, and with trained summands and factors."""

from __future__ import annotations

import numpy as np

from cortado.frontends.onnx.writing.graph import OPSET, Graph
from cortado.frontends.onnx.writing.layer_writer import Written, layer_writers
from cortado.frontends.onnx.writing.reshaped import add_reshape
from cortado.layers.binary import BinaryOperation
from cortado.layers.element_type import ElementType
from cortado.layers.eltwise import EltwiseOperation
from cortado.layers.layer import canonical_axis

_ELTWISE = {EltwiseOperation.SUM: "Add", EltwiseOperation.PROD: "Mul", EltwiseOperation.MAX: "Max"}

_BINARY = {BinaryOperation.LESS_OR_EQUAL: "LessOrEqual", BinaryOperation.GREATER_OR_EQUAL: "GreaterOrEqual",
           BinaryOperation.PRELU: "PRelu", BinaryOperation.FMOD: "Mod"}


@layer_writers.register("Eltwise")
def eltwise(layer: Written, graph: Graph) -> None:
    """One bottom after the other, which is the order that rounds alike."""
    parameters = layer.parameters
    values = list(layer.inputs)
    if parameters.coeff == (1.0, -1.0):
        graph.node(layer, "Sub", values)
        return
    for index, coefficient in enumerate(parameters.coeff):
        if coefficient != 1:
            values[index] = graph.node(layer, "Mul", (values[index], graph.number(layer, coefficient, f"coeff{index}")),
                                       part=f"scaled{index}")
    total = values[0]
    for index, value in enumerate(values[1:], start=1):
        total = graph.node(layer, _ELTWISE[parameters.operation], (total, value),
                           part="" if index == len(values) - 1 else f"part{index}")


@layer_writers.register("Binary")
def binary(layer: Written, graph: Graph) -> tuple[ElementType, ...] | None:
    operation = layer.parameters.operation
    attributes = {"fmod": 1} if operation is BinaryOperation.FMOD else {}
    if operation is BinaryOperation.MOD and layer.elements[0].is_real:
        raise layer.spec.error(f"the remainder of real numbers with the sign of the divisor is not written: opset "
                               f"{OPSET} has no operator for it")
    graph.node(layer, _BINARY.get(operation, operation.name.title()), layer.inputs, **attributes)
    return (ElementType.BOOL,) if operation.compares else None


@layer_writers.register("Where")
def where(layer: Written, graph: Graph) -> tuple[ElementType, ...]:
    graph.node(layer, "Where", layer.inputs)
    return (layer.elements[1],)


@layer_writers.register("Scale")
def scale(layer: Written, graph: Graph) -> None:
    bias = layer.parameters.bias_term
    scaled = graph.node(layer, "Mul", (layer.x, _operand(layer, graph, "gamma")), part="scaled" if bias else "")
    if bias:
        behind = layer.bottoms[0].rank - canonical_axis(layer.spec, layer.parameters.axis, layer.bottoms[0].rank)
        graph.node(layer, "Add", (scaled, graph.constant(layer, _before(layer.blobs[-1], behind), "beta")))


@layer_writers.register("Bias")
def bias(layer: Written, graph: Graph) -> None:
    graph.node(layer, "Add", (layer.x, _operand(layer, graph, "beta")))


def _operand(layer: Written, graph: Graph, part: str) -> str:
    """The trained blob, or the second bottom, in a shape that ONNX broadcasts from the layer's axis on."""
    bottom = layer.bottoms[0]
    behind = bottom.rank - canonical_axis(layer.spec, layer.parameters.axis, bottom.rank)
    if len(layer.inputs) == 1:
        return graph.constant(layer, _before(layer.blobs[0], behind).astype(layer.elements[0].numpy), part)
    dims = layer.bottoms[1].dims
    if not dims or len(dims) == behind:
        return layer.inputs[1]
    return add_reshape(layer, graph, layer.inputs[1], (*dims, *(1,) * (behind - len(dims))), dims, part=part)


def _before(blob: np.ndarray, rank: int) -> np.ndarray:
    """The blob in front of as many axes of size 1 as make it `rank`; a scalar needs none."""
    return blob.reshape((*blob.shape, *(1,) * (rank - blob.ndim))) if blob.ndim else blob
