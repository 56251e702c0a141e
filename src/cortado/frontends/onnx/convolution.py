"""Conv, and the Pad that goes into it."""

from __future__ import annotations

from dataclasses import dataclass

from cortado.frontends.onnx.neighbourhood import Neighbourhood
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.frontends.onnx.window import Pair, check_picture, read_window
from cortado.layers.convolution import ConvolutionParameters


@dataclass(frozen=True)
class Padded:
    """A blob with rows and columns of zeros around it, which only a window can take in."""

    node: Node
    source: Blob
    begin: Pair
    end: Pair

    def blob(self, net: Translation) -> Blob:
        raise self.node.error("only Conv and AveragePool may read what Pad makes: padding by itself is not supported")


@operators.register("Conv")
def convolution(node: Node, net: Translation) -> Value:
    bottom, begin, end = padded_input(node, net)
    check_picture(node, bottom.shape)
    weight = net.numbers(node, 1)
    if weight.ndim != 4:
        raise node.error(f"input 1 must have four dimensions (K, C, height, width), not {weight.ndim}")
    window = read_window(node, bottom.shape, (weight.shape[2], weight.shape[3]))
    if window.kernel != weight.shape[2:]:
        raise node.error(f"kernel_shape must be the {weight.shape[2]}x{weight.shape[3]} of input 1, not "
                         f"{window.kernel[0]}x{window.kernel[1]}")
    begin, end = _sum(begin, window.begin), _sum(end, window.end)
    if begin != end:
        raise node.error("pads must be the same above and below, and left and right: unequal ones are not supported, "
                         f"here {begin[0]} and {end[0]}, {begin[1]} and {end[1]}")
    blobs = [weight, net.numbers(node, 2)] if node.reads(2) else [weight]
    parameters = ConvolutionParameters(
        num_output=weight.shape[0], bias_term=len(blobs) == 2, kernel_size=window.kernel, stride=window.strides,
        pad=begin, dilation=window.dilations, group=node.integer("group", 1))
    return net.add(node, "Convolution", (bottom,), parameters, blobs)


@operators.register("Pad")
def pad(node: Node, net: Translation) -> Value:
    if node.text("mode", "constant") != "constant":
        raise node.error(f"mode must be constant, not {node.text('mode', '')}: nothing else is supported")
    if net.opset < 11:
        pads, fill = node.integers("pads"), node.number("value", 0.0)
    else:
        pads = net.integers(node, 1)
        fill = net.scalar(node, 2) if node.reads(2) else 0.0
    if node.reads(3):
        raise node.error("input 3 (axes) is not supported: pads must be for all axes")
    if fill != 0:
        raise node.error("the value padded with must be the constant 0: nothing else is supported")
    value = net.value(node, 0)
    if isinstance(value, Neighbourhood):
        return value.padded(node, pads)
    bottom = net.blob(node, 0)
    rank = bottom.shape.rank
    if len(pads) != 2 * rank:
        raise node.error(f"pads must be {2 * rank} numbers for {rank} dimensions, not {len(pads)}")
    if not any(pads):
        return bottom
    if rank != 4 or min(pads) < 0 or any((*pads[:2], *pads[4:6])):
        raise node.error("pads must be at least 0, and 0 but for height and width of (N, C, H, W): nothing else is "
                         "supported")
    return Padded(node, bottom, (pads[2], pads[3]), (pads[6], pads[7]))


def padded_input(node: Node, net: Translation) -> tuple[Blob, Pair, Pair]:
    """Input 0 without the padding that goes into the node's window, and that padding: begin, end."""
    value = net.value(node, 0)
    if isinstance(value, Padded):
        return value.source, value.begin, value.end
    return net.blob(node, 0), (0, 0), (0, 0)


def _sum(one: Pair, other: Pair) -> Pair:
    return one[0] + other[0], one[1] + other[1]
