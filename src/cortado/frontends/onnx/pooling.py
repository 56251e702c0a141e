"""Pooling: MaxPool, AveragePool, and both over the whole picture."""

from __future__ import annotations

from dataclasses import replace

from cortado.errors import GraphError
from cortado.frontends.onnx.convolution import padded_input
from cortado.frontends.onnx.neighbourhood import Neighbourhood
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.frontends.onnx.window import Pair, Window, check_picture, read_window
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.flatten import FlattenParameters
from cortado.layers.pooling import Pooling, PoolingParameters, PoolMethod, RoundMode


@operators.register("MaxPool")
def max_pool(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    check_picture(node, bottom.shape)
    node.choice("storage_order", 0, 0)
    window = read_window(node, bottom.shape)
    # What a window covers behind the end never wins a maximum, so only the number of windows depends on it.
    return _pool(node, net, bottom, window, PoolMethod.MAX)


@operators.register("AveragePool")
def average_pool(node: Node, net: Translation) -> Value:
    value = net.value(node, 0)
    if isinstance(value, Neighbourhood) and not value.only_squares:
        return value.averaged(node)
    bottom, begin, end = padded_input(node, net)
    check_picture(node, bottom.shape)
    padded = TensorShape((*bottom.shape.dims[:2], *(size + before + after for size, before, after in zip(
        bottom.shape.dims[2:], begin, end, strict=True))))
    window = read_window(node, padded)
    counted = node.integer("count_include_pad", 0) != 0
    if any((*begin, *end)):
        if any((*window.begin, *window.end)):
            raise node.error("pads must be 0 behind a Pad: nothing else is supported")
        window, counted = replace(window, begin=begin, end=end), True
    if counted and window.begin != window.end:
        raise node.error("pads must be the same above and below, and left and right, with count_include_pad: unequal "
                         f"ones are not supported, here {window.begin[0]} and {window.end[0]}, {window.begin[1]} and "
                         f"{window.end[1]}")
    if not counted and any(window.begin):
        raise node.error("count_include_pad must be 1 with pads: an average that leaves padding out is not supported")
    return _pool(node, net, bottom, window, PoolMethod.AVE)


@operators.register("GlobalAveragePool")
def global_average_pool(node: Node, net: Translation) -> Value:
    return _whole(node, net, PoolMethod.AVE)


@operators.register("GlobalMaxPool")
def global_max_pool(node: Node, net: Translation) -> Value:
    return _whole(node, net, PoolMethod.MAX)


@operators.register("ReduceMean")
def reduce_mean(node: Node, net: Translation) -> Value:
    """The mean over height and width; torch writes it for an adaptive average pool."""
    bottom = net.blob(node, 0)
    node.ignore("noop_with_empty_axes")
    axes = net.integers(node, 1) if node.reads(1) else node.integers("axes", ())
    if bottom.shape.rank != 4 or sorted(node.front_axis(axis, 4) for axis in axes) != [2, 3]:
        raise node.error("axes must be height and width of (N, C, H, W): nothing else is supported")
    parameters = PoolingParameters(pool=PoolMethod.AVE, global_pooling=True)
    if node.integer("keepdims", 1):
        return net.add(node, "Pooling", (bottom,), parameters)
    pooled = net.add(node, "Pooling", (bottom,), parameters, part="mean")
    return net.add(node, "Flatten", (pooled,), FlattenParameters())


def _whole(node: Node, net: Translation, method: PoolMethod) -> Value:
    bottom = net.blob(node, 0)
    check_picture(node, bottom.shape)
    return net.add(node, "Pooling", (bottom,), PoolingParameters(pool=method, global_pooling=True))


def _pool(node: Node, net: Translation, bottom: Blob, window: Window, method: PoolMethod) -> Value:
    """A Pooling layer, rounding so that it has as many windows as ONNX."""
    if window.dilations != (1, 1):
        raise node.error(f"dilations must be 1, not {max(window.dilations)}: nothing else is supported")
    expected = _window_counts(node, bottom, window)
    # An only window may reach behind the end, where nothing counts: it is as large as the bottom then.
    kernel = [min(extent, size) if count == 1 and before == 0 else extent for extent, size, count, before in zip(
        window.kernel, bottom.shape.dims[2:], expected, window.begin, strict=True)]
    parameters = PoolingParameters(
        pool=method, kernel_h=kernel[0], kernel_w=kernel[1], stride_h=window.strides[0],
        stride_w=window.strides[1], pad_h=window.begin[0], pad_w=window.begin[1])
    for rounding in (RoundMode.FLOOR, RoundMode.CEIL):
        rounded = replace(parameters, round_mode=rounding)
        if _counts_of(node, bottom, rounded) == expected:
            return net.add(node, "Pooling", (bottom,), rounded)
    raise node.error(f"pads and ceil_mode must be such that there are as many windows as Caffe has: here "
                     f"{expected[0]}x{expected[1]}, which is not supported")


def _window_counts(node: Node, bottom: Blob, window: Window) -> Pair:
    """How many windows there are by ONNX's rule; the last one must not start behind the bottom."""
    up = node.integer("ceil_mode", 0) != 0
    counts = []
    for size, kernel, stride, begin, end in zip(bottom.shape.dims[2:], window.kernel, window.strides, window.begin,
                                                window.end, strict=True):
        span = size + begin + end - kernel
        if span < 0:
            raise node.error(f"kernel_shape must be at most the padded input, not {kernel} over {size + begin + end}")
        count = -(-span // stride) + 1 if up else span // stride + 1
        counts.append(count - 1 if up and (count - 1) * stride >= size + begin else count)
    return counts[0], counts[1]


def _counts_of(node: Node, bottom: Blob, parameters: PoolingParameters) -> Pair | None:
    """How many windows a Pooling layer has, None where it refuses."""
    spec = LayerSpec(name=node.name, type="Pooling", bottoms=(bottom.name,), tops=(node.outputs[0],),
                     parameters=parameters)
    try:
        top, = Pooling.top_shapes(spec, (bottom.shape,))
    except GraphError:
        return None
    return top.dims[2], top.dims[3]
