"""Whole numbers of few bits that stand for real values."""

from __future__ import annotations

import numpy as np

from cortado.frontends.onnx.node import QONNX
from cortado.frontends.onnx.writing.graph import Graph
from cortado.frontends.onnx.writing.layer_writer import Written, layer_writers
from cortado.layers.element_type import ElementType


@layer_writers.register("QuantizeLinear", "DequantizeLinear")
def linear(layer: Written, graph: Graph) -> tuple[ElementType, ...]:
    parameters = layer.parameters
    whole = parameters.element if layer.spec.type == "QuantizeLinear" else layer.elements[0]
    real = layer.elements[0] if layer.spec.type == "QuantizeLinear" else parameters.element
    wide = () if layer.spec.type == "QuantizeLinear" else (ElementType.INT32,)
    allowed = (ElementType.INT8, ElementType.UINT8, *wide)
    if whole not in allowed or real not in (ElementType.FLOAT, ElementType.FLOAT16) or parameters.block_size:
        raise layer.spec.error(f"a {layer.spec.type} between {layer.elements[0].name} and {parameters.element.name}, "
                               "or by blocks, is not written")
    scale, zero_point = layer.blobs
    inputs = (graph.constant(layer, scale.astype(real.numpy), "scale"),
              graph.constant(layer, zero_point.astype(whole.numpy), "zero_point"))
    graph.node(layer, layer.spec.type, (layer.x, *inputs), axis=parameters.axis if scale.ndim else 1)
    return (parameters.element,)


@layer_writers.register("Quant")
def quant(layer: Written, graph: Graph) -> None:
    """QONNX's own operator; its limits must be those of some number of bits."""
    parameters = layer.parameters
    signed = parameters.least < 0
    bits = np.log2(parameters.most - parameters.least + 1)
    narrow = int(bits) != bits
    bits = np.ceil(bits)
    least = -2 ** (bits - 1) + narrow if signed else 0
    most = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
    if (least, most) != (parameters.least, parameters.most):
        raise layer.spec.error(f"limits {parameters.least:g} and {parameters.most:g} must be those of a number of bits "
                               "to be written")
    scale, zero_point = layer.blobs
    inputs = [graph.constant(layer, value, part) for value, part in (
        (scale, "scale"), (zero_point, "zero_point"), (np.array(bits, np.float32), "bits"))]
    graph.node(layer, "Quant", (layer.x, *inputs), domain=QONNX, signed=int(signed), narrow=int(narrow),
               rounding_mode=parameters.rounding.name)
