"""The sliding window that convolution and pooling share. No operator lives here."""

from __future__ import annotations

from dataclasses import dataclass

from cortado.frontends.onnx.node import Node
from cortado.graph.shape import TensorShape

Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Window:
    """(vertical, horizontal) numbers; `begin` is the padding above and to the left, `end` below and to the right."""

    kernel: Pair
    strides: Pair
    dilations: Pair
    begin: Pair
    end: Pair


def read_window(node: Node, bottom: TensorShape, kernel: Pair | None = None) -> Window:
    """The window of a node over (N, C, H, W); `kernel` is what it is if the node does not say.

    Raises `ModelFileError` where the node does not give two numbers for what it gives.
    """
    kernel = _pair(node, "kernel_shape", node.integers("kernel_shape", kernel))
    strides = _pair(node, "strides", node.integers("strides", (1, 1)))
    dilations = _pair(node, "dilations", node.integers("dilations", (1, 1)))
    for name, values in (("kernel_shape", kernel), ("strides", strides), ("dilations", dilations)):
        if min(values) < 1:
            raise node.error(f"{name} must be at least 1, not {min(values)}")
    pads = node.integers("pads", (0, 0, 0, 0))
    if len(pads) != 4 or min(pads) < 0:
        raise node.error(f"pads must be four numbers of at least 0, not {list(pads)[:8]}")
    mode = node.text("auto_pad", "NOTSET")
    if mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise node.error("auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    begin, end = (pads[0], pads[1]), (pads[2], pads[3])
    if mode == "VALID":
        begin = end = (0, 0)
    elif mode != "NOTSET":
        totals = [max((-(-size // stride) - 1) * stride + dilation * (extent - 1) + 1 - size, 0)
                  for size, extent, stride, dilation in zip(bottom.dims[2:], kernel, strides, dilations, strict=True)]
        less, more = ((totals[0] // 2, totals[1] // 2), (-(-totals[0] // 2), -(-totals[1] // 2)))
        begin, end = (less, more) if mode == "SAME_UPPER" else (more, less)
    return Window(kernel=kernel, strides=strides, dilations=dilations, begin=begin, end=end)


def check_picture(node: Node, bottom: TensorShape) -> None:
    """Raise `ModelFileError` unless there are four dimensions."""
    if bottom.rank != 4:
        raise node.error(f"input 0 must have four dimensions (N, C, H, W), not {bottom}")


def _pair(node: Node, name: str, values: tuple[int, ...]) -> Pair:
    if len(values) != 2:
        raise node.error(f"{name} must be two numbers, vertical and horizontal, not {len(values)}")
    return values[0], values[1]
