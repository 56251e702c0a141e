"""Convolutions and products."""

from __future__ import annotations

import math

from cortado.frontends.onnx.writing.graph import Graph
from cortado.frontends.onnx.writing.layer_writer import Written, layer_writers
from cortado.frontends.onnx.writing.reshaped import add_reshape
from cortado.layers.element_type import ElementType
from cortado.layers.layer import canonical_axis


@layer_writers.register("Convolution", "Deconvolution")
def convolution(layer: Written, graph: Graph) -> None:
    parameters = layer.parameters
    if layer.elements[0] is not ElementType.FLOAT:
        raise layer.spec.error(f"a {layer.spec.type} of {layer.elements[0].name}, as of whole numbers, is not written")
    operator = "Conv" if layer.spec.type == "Convolution" else "ConvTranspose"
    graph.node(layer, operator, (layer.x, *_blobs(layer, graph)), kernel_shape=parameters.kernel,
               strides=parameters.strides, pads=(*parameters.pads, *parameters.pads), dilations=parameters.dilations,
               group=parameters.group)


@layer_writers.register("ConvolutionND")
def convolution_nd(layer: Written, graph: Graph) -> None:
    parameters = layer.parameters
    graph.node(layer, "ConvTranspose" if parameters.transposed else "Conv", (layer.x, *_blobs(layer, graph)),
               kernel_shape=parameters.kernel, strides=parameters.stride, dilations=parameters.dilation,
               group=parameters.group)


@layer_writers.register("InnerProduct")
def inner_product(layer: Written, graph: Graph) -> None:
    """Gemm over a matrix; a product by rows where more axes stay."""
    parameters, bottom = layer.parameters, layer.bottoms[0]
    axis = canonical_axis(layer.spec, parameters.axis, bottom.rank)
    weight, *bias = layer.blobs
    x = layer.x
    if axis == 1:
        if bottom.rank > 2:
            x = graph.node(layer, "Flatten", (x,), part="flat", axis=1)
        graph.node(layer, "Gemm", (x, *_blobs(layer, graph)), transB=int(not parameters.transpose))
        return
    if bottom.rank > axis + 1:
        dims = (*bottom.dims[:axis], math.prod(bottom.dims[axis:]))
        x = add_reshape(layer, graph, x, dims, bottom.dims, part="flat")
    matrix = graph.constant(layer, weight if parameters.transpose else weight.T, "weight")
    if axis == 0:
        # A vector in front of a matrix.
        x = graph.node(layer, "Unsqueeze", (x, graph.integers(layer, (0,), "axis")), part="row")
        product = graph.node(layer, "Gemm", (x, matrix, *([graph.constant(layer, bias[0], "bias")] if bias else [])),
                             part="product")
        graph.node(layer, "Squeeze", (product, graph.integers(layer, (0,), "axis")))
        return
    product = graph.node(layer, "MatMul", (x, matrix), part="product" if bias else "")
    if bias:
        graph.node(layer, "Add", (product, graph.constant(layer, bias[0], "bias")))


@layer_writers.register("MatMul")
def matmul(layer: Written, graph: Graph) -> None:
    graph.node(layer, "MatMul", layer.inputs)


def _blobs(layer: Written, graph: Graph) -> list[str]:
    return [graph.constant(layer, blob, part) for blob, part in zip(layer.blobs, ("weight", "bias"), strict=False)]
