"""Conv, ConvTranspose, and the Pad that goes into them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortado.frontends.onnx.element import FLOAT
from cortado.frontends.onnx.neighbourhood import Neighbourhood
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.reshaped import add_reshape
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.frontends.onnx.window import (
    LARGEST_EXTENT,
    Window,
    auto_pad,
    check_spatial,
    padded_dims,
    read_window,
    shared_padding,
)
from cortado.graph.shape import TensorShape
from cortado.layers.bias import BiasParameters
from cortado.layers.convolution import ConvolutionParameters
from cortado.layers.convolution_nd import ConvolutionNDParameters
from cortado.layers.element_type import ElementType
from cortado.layers.pad import PadMode, PadParameters


@dataclass(frozen=True)
class Padded:
    """A blob with rows and columns of zeros around it, which a window can take in."""

    node: Node
    source: Blob
    begin: tuple[int, ...]
    end: tuple[int, ...]

    def blob(self, net: Translation) -> Blob:
        """The padding as a layer of its own."""
        return add_pad(self.node, net, self.source, self.begin, self.end)


@operators.register("Conv")
def convolution(node: Node, net: Translation) -> Value:
    bottom, begin, end = padded_input(node, net)
    check_spatial(node, bottom.shape)
    weight = _weight(node, net, bottom)
    window = _read(node, padded_dims(bottom.shape, begin, end), weight)
    window = _padded_by(window, begin, end)
    bias = [net.numbers(node, 2)] if node.reads(2) else []
    return add_convolution(node, net, bottom, window, weight, bias)


def add_convolution(node: Node, net: Translation, bottom: Blob, window: Window, weight: np.ndarray,
                    bias: list[np.ndarray], *, part: str = "") -> Blob:
    """A convolution of one to three axes: Caffe's, where there are one or two."""
    group, count = node.integer("group", 1), bottom.shape.rank - 2
    if count == 3 or (count == 2 and window.begin != window.end):
        bottom = add_pad(node, net, bottom, window.begin, window.end, part="padded")
        window = _padded_by(window, tuple(-size for size in window.begin), tuple(-size for size in window.end))
    if count == 3:
        return net.add(node, "ConvolutionND", (bottom,), _nd_parameters(window, weight, bias, group), (weight, *bias),
                       part=part)
    if count == 1:
        return _as_rows(node, net, bottom, window, weight, part, lambda rows, wide, wide_weight: add_convolution(
            node, net, rows, wide, wide_weight, bias, part=f"{part}rows"))
    parameters = ConvolutionParameters(
        num_output=weight.shape[0], bias_term=bool(bias), kernel_size=window.kernel, stride=window.strides,
        pad=window.begin, dilation=window.dilations, group=group)
    return net.add(node, "Convolution", (bottom,), parameters, (weight, *bias), part=part)


@operators.register("ConvTranspose")
def transposed_convolution(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    check_spatial(node, bottom.shape)
    weight = _weight(node, net, bottom)
    count = bottom.shape.rank - 2
    window = _read(node, bottom.shape, weight)
    outside = node.integers("output_padding", (0,) * count)
    if len(outside) != count or min(outside) < 0 or any(
            more >= max(stride, dilation) for more, stride, dilation in zip(outside, window.strides, window.dilations,
                                                                           strict=True)):
        raise node.error(f"output_padding must be {count} numbers of at least 0, below the stride or dilation")
    whole = [stride * (size - 1) + extent + more for size, stride, extent, more in zip(
        bottom.shape.dims[2:], window.strides, window.extents, outside, strict=True)]
    mode = auto_pad(node)
    sizes = node.integers("output_shape", ())
    if mode.startswith("SAME") and not sizes:
        sizes = tuple(size * stride for size, stride in zip(bottom.shape.dims[2:], window.strides, strict=True))
    begin, end = window.begin, window.end
    if sizes:
        if len(sizes) != count or not 1 <= min(sizes) <= max(sizes) <= LARGEST_EXTENT:
            raise node.error(f"output_shape must be {count} numbers from 1 to {LARGEST_EXTENT}, not {list(sizes)[:8]}")
        # Less than nothing is cut off where the output is to be larger.
        begin, end = shared_padding([most - size for size, most in zip(sizes, whole, strict=True)],
                                    mode == "SAME_UPPER")
    bias = [net.numbers(node, 2)] if node.reads(2) else []
    group, filters = node.integer("group", 1), weight.shape[1] * node.integer("group", 1)
    if count == 2 and begin == end and min(begin) >= 0 and not any(outside):
        return _deconvolution(node, net, bottom, window, weight, bias, pad=begin)
    # What is cut off is no part of the sums, and the bias is everywhere.
    part = "whole" if bias else "sums"
    if count == 3:
        parameters = _nd_parameters(window, weight, [], group, filters)
        whole_blob = net.add(node, "ConvolutionND", (bottom,), parameters, (weight,), part=part)
    elif count == 1:
        whole_blob = _as_rows(node, net, bottom, window, weight, part, lambda rows, wide, wide_weight: _deconvolution(
            node, net, rows, wide, wide_weight, [], pad=(0, 0), part=f"{part}rows"))
    else:
        whole_blob = _deconvolution(node, net, bottom, window, weight, [], pad=(0, 0), part=part)
    result = add_pad(node, net, whole_blob, tuple(-size for size in begin),
                     tuple(more - size for size, more in zip(end, outside, strict=True)),
                     part="cut" if bias else "")
    if not bias:
        return result
    return net.add(node, "Bias", (result,), BiasParameters(), bias)


def _deconvolution(node: Node, net: Translation, bottom: Blob, window: Window, weight: np.ndarray,
                   bias: list[np.ndarray], *, pad: tuple[int, ...], part: str = "") -> Blob:
    group = node.integer("group", 1)
    parameters = ConvolutionParameters(
        num_output=weight.shape[1] * group, bias_term=bool(bias), kernel_size=window.kernel, stride=window.strides,
        pad=pad, dilation=window.dilations, group=group)
    return net.add(node, "Deconvolution", (bottom,), parameters, (weight, *bias), part=part)


@operators.register("Pad")
def pad(node: Node, net: Translation) -> Value:
    word = node.text("mode", "constant")
    if word.upper() not in PadMode.__members__ or word != word.lower():
        raise node.error("mode must be constant, edge, reflect or wrap")
    mode = PadMode[word.upper()]
    if net.opset < 11:
        pads, fill = node.integers("pads"), node.number("value", 0.0)
    else:
        pads = net.integers(node, 1)
        fill = net.scalar(node, 2) if node.reads(2) else 0.0
    if fill is None:
        found = net.constant(node, 2)
        if found.size != 1:
            raise node.error(f"input 2 must be one number, not {found.size}")
        fill = float(found.reshape(()))
    if mode is not PadMode.CONSTANT:
        fill = 0.0
    value = net.value(node, 0)
    if isinstance(value, Neighbourhood) and not node.reads(3):
        if fill != 0 or mode is not PadMode.CONSTANT:
            raise node.error("squares must be padded with zeros to be normalised")
        return value.padded(node, pads)
    bottom = net.blob(node, 0)
    rank = bottom.shape.rank
    axes = [node.front_axis(axis, rank) for axis in net.integers(node, 3)] if node.reads(3) else list(range(rank))
    if len(pads) != 2 * len(axes) or len(set(axes)) != len(axes):
        raise node.error(f"pads must be {2 * len(axes)} numbers for {len(axes)} different dimensions, not {len(pads)}")
    begin, end = [0] * rank, [0] * rank
    for place, axis in enumerate(axes):
        begin[axis], end[axis] = pads[place], pads[len(axes) + place]
    if not any((*begin, *end)):
        return bottom
    if (mode is PadMode.CONSTANT and fill == 0 and rank == 4 and min(*begin, *end) >= 0
            and not any((*begin[:2], *end[:2])) and bottom.element is FLOAT):
        return Padded(node, bottom, tuple(begin[2:]), tuple(end[2:]))
    return net.add(node, "Pad", (bottom,), PadParameters(begin=tuple(begin), end=tuple(end), mode=mode, value=fill))


def padded_input(node: Node, net: Translation) -> tuple[Blob, tuple[int, ...], tuple[int, ...]]:
    """Input 0 without the padding that goes into the node's window, and that padding: begin, end."""
    value = net.value(node, 0)
    if isinstance(value, Padded):
        return value.source, value.begin, value.end
    bottom = net.blob(node, 0)
    nothing = (0,) * (bottom.shape.rank - 2)
    return bottom, nothing, nothing


def add_pad(node: Node, net: Translation, bottom: Blob, begin: tuple[int, ...], end: tuple[int, ...], *,
            part: str = "", value: float = 0.0) -> Blob:
    """Zeros, or `value`, around all axes but the first two; negative numbers cut off."""
    # Without `part` it is the output of the node, which some layer must make.
    if part and not any((*begin, *end)):
        return bottom
    parameters = PadParameters(begin=(0, 0, *begin), end=(0, 0, *end), value=value)
    return net.add(node, "Pad", (bottom,), parameters, part=part)


def _weight(node: Node, net: Translation, bottom: Blob) -> np.ndarray:
    weight = net.numbers(node, 1)
    if bottom.element not in (FLOAT, ElementType.FLOAT16):
        raise node.error(f"input 0 must be FLOAT or FLOAT16, not {bottom.element.name}")
    if weight.ndim != bottom.shape.rank:
        raise node.error(f"input 1 must have as many dimensions as input 0, {bottom.shape.rank}, not {weight.ndim}")
    return weight


def _read(node: Node, bottom: TensorShape, weight: np.ndarray) -> Window:
    window = read_window(node, bottom, weight.shape[2:])
    if window.kernel != weight.shape[2:]:
        raise node.error(f"kernel_shape must be the {'x'.join(str(size) for size in weight.shape[2:])} of input 1, not "
                         f"{'x'.join(str(size) for size in window.kernel)}")
    return window


def _padded_by(window: Window, begin: tuple[int, ...], end: tuple[int, ...]) -> Window:
    return Window(kernel=window.kernel, strides=window.strides, dilations=window.dilations,
                  begin=_sum(begin, window.begin), end=_sum(end, window.end))


def _as_rows(node: Node, net: Translation, bottom: Blob, window: Window, weight: np.ndarray, part: str,
             add: Callable[[Blob, Window, np.ndarray], Blob]) -> Blob:
    """A convolution over one axis as one over maps of one row."""
    batch, channels, size = bottom.shape.dims
    rows = add_reshape(node, net, bottom, (batch, channels, 1, size), part="row")
    wide = Window(kernel=(1, *window.kernel), strides=(1, *window.strides), dilations=(1, *window.dilations),
                  begin=(0, *window.begin), end=(0, *window.end))
    result = add(rows, wide, weight[:, :, np.newaxis])
    return add_reshape(node, net, result, (*result.shape.dims[:2], result.shape.dims[3]), part=part)


def _nd_parameters(window: Window, weight: np.ndarray, bias: list[np.ndarray], group: int,
                   transposed_filters: int = 0) -> ConvolutionNDParameters:
    return ConvolutionNDParameters(
        num_output=transposed_filters or weight.shape[0], bias_term=bool(bias), kernel=window.kernel,
        stride=window.strides, dilation=window.dilations, group=group, transposed=transposed_filters > 0)


def _sum(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(before + after for before, after in zip(one, other, strict=True))
