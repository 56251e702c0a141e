"""Pooling: MaxPool, AveragePool, LpPool, and all over the whole picture."""

from __future__ import annotations

from dataclasses import replace

from cortado.errors import GraphError
from cortado.frontends.onnx.convolution import padded_input
from cortado.frontends.onnx.element import FLOAT
from cortado.frontends.onnx.neighbourhood import Neighbourhood
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.frontends.onnx.window import Window, check_spatial, count_windows, padded_dims, read_window
from cortado.graph.spec import LayerSpec
from cortado.layers.element_type import ElementType
from cortado.layers.pooling import Pooling, PoolingParameters, PoolMethod, RoundMode
from cortado.layers.reduce import ReduceOperation, ReduceParameters
from cortado.layers.window_pooling import WindowMethod, WindowPoolingParameters


@operators.register("MaxPool")
def max_pool(node: Node, net: Translation) -> Value | tuple[Value, ...]:
    bottom = net.blob(node, 0)
    check_spatial(node, bottom.shape)
    window = read_window(node, bottom.shape)
    column_major = node.integer("storage_order", 0) != 0
    if len(node.outputs) > 1 and net.readers[node.outputs[1]]:
        parameters = replace(_window_parameters(node, bottom, window, WindowMethod.MAX), column_major=column_major)
        maxima, places = net.add_layer(node, "WindowPooling", (bottom,), parameters, name=node.name,
                                       tops=node.outputs[:2])
        return maxima, replace(places, element=ElementType.INT64)
    # What a window covers behind the end never wins a maximum, so only the number of windows depends on it.
    return _pool(node, net, bottom, window, PoolMethod.MAX, WindowMethod.MAX)


@operators.register("AveragePool")
def average_pool(node: Node, net: Translation) -> Value:
    value = net.value(node, 0)
    if isinstance(value, Neighbourhood) and not value.only_squares:
        return value.averaged(node)
    bottom, begin, end = padded_input(node, net)
    check_spatial(node, bottom.shape)
    window = read_window(node, padded_dims(bottom.shape, begin, end))
    counted = node.integer("count_include_pad", 0) != 0
    if any((*begin, *end)):
        if any((*window.begin, *window.end)):
            # Of both paddings only one need count, so the first is a layer of its own.
            bottom = net.blob(node, 0)
        else:
            window, counted = replace(window, begin=begin, end=end), True
    # Caffe's padding is the same before and behind and counts as zeros; what lies behind it does not count.
    method = PoolMethod.AVE if (window.begin == window.end if counted else not any(window.begin)) else None
    return _pool(node, net, bottom, window, method, WindowMethod.PADDED_AVE if counted else WindowMethod.AVE)


@operators.register("LpPool")
def lp_pool(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    check_spatial(node, bottom.shape)
    window = read_window(node, bottom.shape)
    parameters = replace(_window_parameters(node, bottom, window, WindowMethod.LP), p=_power(node))
    return net.add(node, "WindowPooling", (bottom,), parameters)


@operators.register("GlobalAveragePool")
def global_average_pool(node: Node, net: Translation) -> Value:
    return _whole(node, net, PoolMethod.AVE, ReduceOperation.MEAN)


@operators.register("GlobalMaxPool")
def global_max_pool(node: Node, net: Translation) -> Value:
    return _whole(node, net, PoolMethod.MAX, ReduceOperation.MAX)


@operators.register("GlobalLpPool")
def global_lp_pool(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    check_spatial(node, bottom.shape)
    count = bottom.shape.rank - 2
    parameters = WindowPoolingParameters(
        method=WindowMethod.LP, kernel=bottom.shape.dims[2:], stride=(1,) * count, dilation=(1,) * count,
        pad_begin=(0,) * count, pad_end=(0,) * count, count=(1,) * count, p=_power(node))
    return net.add(node, "WindowPooling", (bottom,), parameters)


def _power(node: Node) -> int:
    p = node.integer("p", 2)
    if not 1 <= p <= 64:
        raise node.error(f"p must be from 1 to 64, not {p}")
    return p


def _whole(node: Node, net: Translation, method: PoolMethod, operation: ReduceOperation) -> Value:
    bottom = net.blob(node, 0)
    if bottom.shape.rank == 4 and bottom.element is FLOAT:
        return net.add(node, "Pooling", (bottom,), PoolingParameters(pool=method, global_pooling=True))
    check_spatial(node, bottom.shape)
    parameters = ReduceParameters(operation=operation, axis=tuple(range(2, bottom.shape.rank)))
    return net.add(node, "Reduce", (bottom,), parameters)


def _pool(node: Node, net: Translation, bottom: Blob, window: Window, method: PoolMethod | None,
          other: WindowMethod) -> Value:
    """A Pooling layer, rounding so that it has as many windows as ONNX; a WindowPooling where it cannot."""
    expected = count_windows(node, bottom.shape, window)
    if (method is not None and bottom.shape.rank == 4 and set(window.dilations) == {1} and bottom.element is FLOAT):
        # An only window may reach behind the end, where nothing counts: it is as large as the bottom then.
        kernel = [min(extent, size) if count == 1 and before == 0 else extent for extent, size, count, before in zip(
            window.kernel, bottom.shape.dims[2:], expected, window.begin, strict=True)]
        for rounding in (RoundMode.FLOOR, RoundMode.CEIL):
            try:
                parameters = PoolingParameters(
                    pool=method, kernel_h=kernel[0], kernel_w=kernel[1], stride_h=window.strides[0],
                    stride_w=window.strides[1], pad_h=window.begin[0], pad_w=window.begin[1], round_mode=rounding)
            except GraphError:
                # A padding as large as the kernel, which Caffe refuses.
                break
            if _counts_of(node, bottom, parameters) == expected:
                return net.add(node, "Pooling", (bottom,), parameters)
    return net.add(node, "WindowPooling", (bottom,), _window_parameters(node, bottom, window, other))


def _window_parameters(node: Node, bottom: Blob, window: Window, method: WindowMethod) -> WindowPoolingParameters:
    return WindowPoolingParameters(
        method=method, kernel=window.kernel, stride=window.strides, dilation=window.dilations, pad_begin=window.begin,
        pad_end=window.end, count=count_windows(node, bottom.shape, window))


def _counts_of(node: Node, bottom: Blob, parameters: PoolingParameters) -> tuple[int, ...] | None:
    """How many windows a Pooling layer has, None where it refuses."""
    spec = LayerSpec(name=node.name, type="Pooling", bottoms=(bottom.name,), tops=(node.outputs[0],),
                     parameters=parameters)
    try:
        top, = Pooling.top_shapes(spec, (bottom.shape,))
    except GraphError:
        return None
    return top.dims[2:]
