"""Pooling, normalisation over channels, and axes that become one value."""

from __future__ import annotations

import math

import numpy as np

from cortado.frontends.onnx.writing.graph import Graph
from cortado.frontends.onnx.writing.layer_writer import Written, layer_writers
from cortado.frontends.onnx.writing.reshaped import add_reshape
from cortado.layers.element_type import ElementType
from cortado.layers.lrn import NormRegion
from cortado.layers.pooling import PoolMethod, RoundMode
from cortado.layers.reduce import ReduceOperation
from cortado.layers.window_pooling import WindowMethod

_REDUCE = {
    ReduceOperation.LOG_SUM: "ReduceLogSum", ReduceOperation.LOG_SUM_EXP: "ReduceLogSumExp",
    ReduceOperation.SUM_SQUARE: "ReduceSumSquare", ReduceOperation.L1: "ReduceL1", ReduceOperation.L2: "ReduceL2",
    **{operation: f"Reduce{operation.name.title()}" for operation in (
        ReduceOperation.SUM, ReduceOperation.MEAN, ReduceOperation.MAX, ReduceOperation.MIN, ReduceOperation.PROD)},
}

_WINDOW = {WindowMethod.MAX: "MaxPool", WindowMethod.AVE: "AveragePool", WindowMethod.PADDED_AVE: "AveragePool",
           WindowMethod.LP: "LpPool"}


@layer_writers.register("Pooling")
def pooling(layer: Written, graph: Graph) -> None:
    parameters = layer.parameters
    maximum = parameters.pool is PoolMethod.MAX
    if parameters.pool is PoolMethod.STOCHASTIC or len(layer.outputs) > 1:
        raise layer.spec.error("it must be of pool MAX or AVE with one top to be written: ONNX has no stochastic "
                               "pooling, and counts the places of maxima otherwise")
    if parameters.global_pooling:
        graph.node(layer, "GlobalMaxPool" if maximum else "GlobalAveragePool", (layer.x,))
        return
    attributes = {} if maximum else {"count_include_pad": 1}
    height, width = layer.bottoms[0].dims[2:]
    graph.node(layer, "MaxPool" if maximum else "AveragePool", (layer.x,),
               kernel_shape=parameters.kernel_or_bottom((height, width)), strides=parameters.strides,
               pads=(*parameters.pads, *parameters.pads), ceil_mode=int(parameters.round_mode is RoundMode.CEIL),
               **attributes)


@layer_writers.register("WindowPooling")
def window_pooling(layer: Written, graph: Graph) -> tuple[ElementType, ...]:
    """Its number of windows is that of padding behind the end, where nothing but padding may be left out."""
    parameters, method = layer.parameters, layer.parameters.method
    attributes: dict[str, object] = {}
    if method is WindowMethod.PADDED_AVE:
        attributes["count_include_pad"] = 1
    elif method is WindowMethod.LP:
        attributes["p"] = parameters.p
    elif method is WindowMethod.MAX:
        attributes["storage_order"] = int(parameters.column_major)
    floor, ceil = [], []
    for size, kernel, stride, dilation, begin, end in zip(
            layer.bottoms[0].dims[2:], parameters.kernel, parameters.stride, parameters.dilation, parameters.pad_begin,
            parameters.pad_end, strict=True):
        span = size + begin + end - dilation * (kernel - 1) - 1
        floor.append(span // stride + 1)
        up = -(-span // stride) + 1
        ceil.append(up - 1 if (up - 1) * stride >= size + begin else up)
    if parameters.count not in (tuple(floor), tuple(ceil)):
        raise layer.spec.error(f"the number of windows must be one that ONNX counts, {floor} or {ceil}, not "
                               f"{list(parameters.count)}")
    graph.node(layer, _WINDOW[method], (layer.x,), layer.outputs, kernel_shape=parameters.kernel,
               strides=parameters.stride, dilations=parameters.dilation,
               pads=(*parameters.pad_begin, *parameters.pad_end), ceil_mode=int(parameters.count != tuple(floor)),
               **attributes)
    return (layer.elements[0], ElementType.INT64)[:len(layer.outputs)]


@layer_writers.register("LRN")
def local_response_normalisation(layer: Written, graph: Graph) -> None:
    parameters = layer.parameters
    if parameters.norm_region is NormRegion.WITHIN_CHANNEL:
        raise layer.spec.error("LRN within a channel is not written: ONNX has none")
    graph.node(layer, "LRN", (layer.x,), size=parameters.local_size, alpha=parameters.alpha, beta=parameters.beta,
               bias=parameters.k)


@layer_writers.register("BatchNorm")
def batch_norm(layer: Written, graph: Graph) -> None:
    parameters = layer.parameters
    if parameters.use_global_stats is False:
        raise layer.spec.error("a BatchNorm by the batch's own statistics (use_global_stats: false) is not written")
    mean, variance, factor = layer.blobs
    share = np.where(factor == 0, np.float32(0), np.float32(1) / np.where(factor == 0, np.float32(1), factor))
    values = (np.ones_like(mean), np.zeros_like(mean), mean * share, variance * share)
    inputs = [graph.constant(layer, value, part) for value, part in zip(
        values, ("gamma", "beta", "mean", "variance"), strict=True)]
    graph.node(layer, "BatchNormalization", (layer.x, *inputs), epsilon=parameters.eps)


@layer_writers.register("Reduce")
def reduce(layer: Written, graph: Graph) -> None:
    parameters = layer.parameters
    x, axis, bottom = layer.x, parameters.axis, layer.bottoms[0]
    if parameters.operation is ReduceOperation.MEAN and axis == (2, 3) and bottom.rank == 4:
        # A mean over height and width is read as a Pooling, which adds in another order.
        flat = add_reshape(layer, graph, x, (*bottom.dims[:2], math.prod(bottom.dims[2:])), bottom.dims, part="flat")
        mean = graph.node(layer, "ReduceMean", (flat, graph.integers(layer, (2,), "axis")), part="mean", keepdims=0)
        add_reshape(layer, graph, mean, layer.tops[0].dims, bottom.dims)
        return
    axes = graph.integers(layer, axis, "axes")
    graph.node(layer, _REDUCE[parameters.operation], (layer.x, axes), keepdims=int(parameters.keep_dims),
               noop_with_empty_axes=1)


@layer_writers.register("ArgExtreme")
def arg_extreme(layer: Written, graph: Graph) -> tuple[ElementType, ...]:
    parameters = layer.parameters
    graph.node(layer, "ArgMax" if parameters.largest else "ArgMin", (layer.x,), axis=parameters.axis,
               keepdims=int(parameters.keep_dims), select_last_index=int(parameters.last))
    return (ElementType.INT64,)
