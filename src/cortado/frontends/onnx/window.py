"""The sliding window that convolution and pooling share. No operator lives here."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cortado.frontends.onnx.node import Node
from cortado.graph.shape import TensorShape

# Beyond this a number is a mistake in the file: no picture has so many rows.
LARGEST_EXTENT = 2**20


@dataclass(frozen=True, kw_only=True)
class Window:
    """One number for each axis behind (N, C); `begin` is the padding before the values, `end` behind them."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    begin: tuple[int, ...]
    end: tuple[int, ...]

    @property
    def extents(self) -> tuple[int, ...]:
        """How far the kernel reaches, dilated."""
        return tuple(dilation * (kernel - 1) + 1 for kernel, dilation in zip(self.kernel, self.dilations, strict=True))


def read_window(node: Node, bottom: TensorShape, kernel: tuple[int, ...] | None = None) -> Window:
    """The window of a node over (N, C, ...); `kernel` is what it is if the node does not say.

    Raises `ModelFileError` where the node does not give one number an axis for what it gives.
    """
    count = bottom.rank - 2
    kernel = _numbers(node, "kernel_shape", count, 1, kernel)
    strides = _numbers(node, "strides", count, 1, (1,) * count)
    dilations = _numbers(node, "dilations", count, 1, (1,) * count)
    pads = _numbers(node, "pads", 2 * count, 0, (0,) * 2 * count)
    mode = auto_pad(node)
    begin, end = pads[:count], pads[count:]
    if mode == "VALID":
        begin = end = (0,) * count
    elif mode != "NOTSET":
        totals = [max((-(-size // stride) - 1) * stride + dilation * (extent - 1) + 1 - size, 0)
                  for size, extent, stride, dilation in zip(bottom.dims[2:], kernel, strides, dilations, strict=True)]
        begin, end = shared_padding(totals, mode == "SAME_UPPER")
    return Window(kernel=kernel, strides=strides, dilations=dilations, begin=begin, end=end)


def shared_padding(totals: list[int], more_behind: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Padding as equal as it can be before and behind."""
    less, more = tuple(total // 2 for total in totals), tuple(-(-total // 2) for total in totals)
    return (less, more) if more_behind else (more, less)


def auto_pad(node: Node) -> str:
    """How padding is chosen."""
    mode = node.text("auto_pad", "NOTSET")
    if mode not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise node.error("auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    return mode


def check_spatial(node: Node, bottom: TensorShape) -> None:
    """Raise `ModelFileError` unless there are one to three axes behind (N, C)."""
    if bottom.rank not in (3, 4, 5):
        raise node.error(f"input 0 must have three to five dimensions (N, C, ...), not {bottom}")


def _numbers(node: Node, name: str, count: int, least: int, default: tuple[int, ...] | None) -> tuple[int, ...]:
    values = node.integers(name, default)
    if len(values) != count:
        raise node.error(f"{name} must be {count} numbers for {count if least else count // 2} axes, not "
                         f"{len(values)}")
    if not least <= min(values, default=least) <= max(values, default=least) <= LARGEST_EXTENT:
        raise node.error(f"{name} must be from {least} to {LARGEST_EXTENT}, not {list(values)[:8]}")
    return values


def padded_dims(bottom: TensorShape, begin: tuple[int, ...], end: tuple[int, ...]) -> TensorShape:
    """(N, C, ...) with padding behind the first two axes."""
    return TensorShape((*bottom.dims[:2], *(size + before + after for size, before, after in zip(
        bottom.dims[2:], begin, end, strict=True))))


def count_windows(node: Node, bottom: TensorShape, window: Window) -> tuple[int, ...]:
    """How many windows there are by ONNX's rule for pooling; the last one must not start behind the bottom."""
    up = node.integer("ceil_mode", 0) != 0
    counts = []
    for size, extent, stride, begin, end in zip(bottom.dims[2:], window.extents, window.strides, window.begin,
                                                window.end, strict=True):
        span = size + begin + end - extent
        if span < 0:
            raise node.error(f"kernel_shape must reach over at most the padded input, not {extent} over "
                             f"{size + begin + end}")
        count = math.ceil(span / stride) + 1 if up else span // stride + 1
        counts.append(count - 1 if up and (count - 1) * stride >= size + begin else count)
    return tuple(counts)
