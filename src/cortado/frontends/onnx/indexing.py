"""Operators that take blobs apart and put them together."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np

from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.reshaped import add_reshape
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.layers.concat import ConcatParameters
from cortado.layers.element_type import ElementType
from cortado.layers.expand import ExpandParameters
from cortado.layers.gather import GatherParameters
from cortado.layers.permute import PermuteParameters
from cortado.layers.slice import SliceParameters
from cortado.layers.strided_slice import StridedSliceParameters


@operators.register("Concat")
def concat(node: Node, net: Translation) -> Value:
    values = [net.value(node, index) for index in range(len(node.inputs))]
    # What is empty adds nothing.
    bottoms = [net.blob(node, index) for index, value in enumerate(values)
               if not isinstance(value, np.ndarray) or value.size]
    axis = node.axis(None, bottoms[0].shape.rank)
    for value in values:
        if isinstance(value, np.ndarray) and not value.size and (
                value.shape[:axis], value.shape[axis + 1:]) != (bottoms[0].shape.dims[:axis],
                                                                bottoms[0].shape.dims[axis + 1:]):
            raise node.error(f"inputs must agree except on axis {axis}")
    if any(bottom.element is not bottoms[0].element for bottom in bottoms):
        raise node.error("inputs must be of one element type")
    if len(bottoms) == 1:
        return bottoms[0]
    return net.add(node, "Concat", bottoms, ConcatParameters(axis=axis))


@operators.register("Split")
def split(node: Node, net: Translation) -> Value | tuple[Value, ...]:
    value = net.value(node, 0)
    empty = value if isinstance(value, np.ndarray) and not value.size else None
    dims = net.blob(node, 0).shape.dims if empty is None else empty.shape
    axis, count = node.axis(0, len(dims)), len(node.outputs)
    node.ignore("num_outputs")
    if not all(node.outputs):
        raise node.error("every output must have a name")
    if node.reads(1):
        sizes = net.integers(node, 1)
    else:
        size = -(-dims[axis] // count)
        equal = (*(size,) * (count - 1), dims[axis] - size * (count - 1))
        sizes = node.integers("split", equal)
    if len(sizes) != count or min(sizes) < 0 or sum(sizes) != dims[axis]:
        raise node.error(f"{count} sizes must add up to the {dims[axis]} of axis {axis}, not {list(sizes)[:8]}")
    if empty is not None:
        return tuple(np.split(empty, list(accumulate(sizes[:-1])), axis))
    bottom = net.blob(node, 0)
    # What is empty is a constant.
    kept = [index for index, size in enumerate(sizes) if size]
    if len(kept) == 1:
        made: tuple[Value, ...] = (bottom,)
    else:
        parameters = SliceParameters(axis=axis, slice_point=tuple(accumulate(sizes[index] for index in kept[:-1])))
        made = net.add_layer(node, "Slice", (bottom,), parameters, name=node.name,
                             tops=tuple(node.outputs[index] for index in kept))
    return tuple(made[kept.index(index)] if size else _empty(bottom, axis) for index, size in enumerate(sizes))


def _empty(bottom: Blob, axis: int) -> np.ndarray:
    """The constant that is like a blob but for one axis, where it has nothing."""
    return np.empty((*bottom.shape.dims[:axis], 0, *bottom.shape.dims[axis + 1:]), bottom.element.numpy)


@operators.register("Slice")
def cut(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    rank = bottom.shape.rank
    if net.opset < 10:
        starts, ends = node.integers("starts"), node.integers("ends")
        axes, steps = node.integers("axes", tuple(range(len(starts)))), (1,) * len(starts)
    else:
        starts, ends = net.integers(node, 1), net.integers(node, 2)
        axes = net.integers(node, 3) if node.reads(3) else tuple(range(len(starts)))
        steps = net.integers(node, 4) if node.reads(4) else (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or len(set(axes)) != len(axes) or 0 in steps:
        raise node.error("starts, ends, axes and steps must be as many, axes different and no step 0")
    parts, empty = [], []
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis = node.front_axis(axis, rank)
        size = bottom.shape.dims[axis]
        # Behind the front no place is below -size, which Python would count from the end again.
        places = range(size)[slice(start, None if step < 0 and end < -size else end, step)]
        if not places:
            empty.append(axis)
        elif places != range(size):
            parts.append((axis, places[0], len(places), places.step if len(places) > 1 else 1))
    if empty:
        counts = {axis: count for axis, _, count, _ in parts} | dict.fromkeys(empty, 0)
        return np.empty([counts.get(axis, dim) for axis, dim in enumerate(bottom.shape.dims)], bottom.element.numpy)
    if not parts:
        return bottom
    axis, start, count, step = zip(*parts, strict=True)
    parameters = StridedSliceParameters(axis=axis, start=start, count=count, step=step)
    return net.add(node, "StridedSlice", (bottom,), parameters)


@operators.register("Gather")
def gather(node: Node, net: Translation) -> Value:
    values, places = net.blob(node, 0), net.blob(node, 1)
    if places.element not in (ElementType.INT32, ElementType.INT64):
        raise node.error(f"input 1 must be whole numbers, INT32 or INT64, not {places.element.name}")
    axis = node.axis(0, values.shape.rank)
    return net.add(node, "Gather", (values, places), GatherParameters(axis=axis))


@operators.register("Expand")
def expand(node: Node, net: Translation) -> Value:
    return net.add(node, "Expand", (net.blob(node, 0),), ExpandParameters(dim=net.integers(node, 1)))


@operators.register("Tile")
def tile(node: Node, net: Translation) -> Value:
    """Every axis with one of size 1 before it, that one repeated, and both as one."""
    bottom, repeats = net.blob(node, 0), net.integers(node, 1)
    dims = bottom.shape.dims
    if len(repeats) != len(dims) or min(repeats, default=1) < 1:
        raise node.error(f"repeats must be {len(dims)} numbers of at least 1, one for each axis")
    if math.prod(repeats) == 1:
        return bottom
    if len(dims) > 16:
        raise node.error(f"input 0 must have at most 16 dimensions, not {len(dims)}")
    apart = add_reshape(node, net, bottom, tuple(size for dim in dims for size in (1, dim)), part="apart")
    pairs = tuple(size for repeat, dim in zip(repeats, dims, strict=True) for size in (repeat, dim))
    repeated = net.add(node, "Expand", (apart,), ExpandParameters(dim=pairs), part="repeated")
    return add_reshape(node, net, repeated, tuple(repeat * dim for repeat, dim in zip(repeats, dims, strict=True)))


@operators.register("DepthToSpace")
def depth_to_space(node: Node, net: Translation) -> Value:
    """Channels as places: (N, C, H, W) -> (N, C / b**2, H b, W b)."""
    bottom, block = _blocks(node, net)
    mode = node.text("mode", "DCR")
    if mode not in ("DCR", "CRD"):
        raise node.error("mode must be DCR or CRD")
    batch, channels, height, width = bottom.shape.dims
    if channels % block**2:
        raise node.error(f"the channels must be a multiple of {block**2}, not {channels}")
    kept = channels // block**2
    inner = (block, block, kept) if mode == "DCR" else (kept, block, block)
    order = (0, 3, 4, 1, 5, 2) if mode == "DCR" else (0, 1, 4, 2, 5, 3)
    apart = add_reshape(node, net, bottom, (batch, *inner, height, width), part="apart")
    moved = net.add(node, "Permute", (apart,), PermuteParameters(order=order), part="moved")
    return add_reshape(node, net, moved, (batch, kept, height * block, width * block))


@operators.register("SpaceToDepth")
def space_to_depth(node: Node, net: Translation) -> Value:
    """Places as channels: (N, C, H, W) -> (N, C b**2, H / b, W / b)."""
    bottom, block = _blocks(node, net)
    mode = node.text("mode", "DCR")
    if mode not in ("DCR", "CRD"):
        raise node.error("mode must be DCR or CRD")
    batch, channels, height, width = bottom.shape.dims
    if height % block or width % block:
        raise node.error(f"height and width must be multiples of {block}, not {height} and {width}")
    apart = add_reshape(node, net, bottom, (batch, channels, height // block, block, width // block, block),
                        part="apart")
    order = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    moved = net.add(node, "Permute", (apart,), PermuteParameters(order=order), part="moved")
    return add_reshape(node, net, moved, (batch, channels * block**2, height // block, width // block))


@operators.register("Range")
def count_up(node: Node, net: Translation) -> Value:
    """start, start + delta, ... below limit; a constant."""
    start, limit, delta = (net.constant(node, index) for index in range(3))
    if {start.size, limit.size, delta.size} != {1} or delta.reshape(()) == 0:
        raise node.error("inputs must be one number each, and the last one not 0")
    first, step = start.reshape(()), delta.reshape(())
    length = (float(limit.reshape(())) - float(first)) / float(step)
    if not math.isfinite(length):
        raise node.error("inputs must be finite")
    count = math.ceil(length)
    net.spend(node, max(count, 0))
    return (first + step * np.arange(max(count, 0))).astype(start.dtype)


@operators.register("EyeLike")
def eye_like(node: Node, net: Translation) -> Value:
    """Ones on a diagonal; a constant."""
    bottom = net.blob(node, 0)
    if bottom.shape.rank != 2:
        raise node.error(f"input 0 must have two dimensions, not {bottom.shape}")
    number = node.integer("dtype", bottom.element.value)
    if number not in [element.value for element in ElementType]:
        raise node.error("dtype must be an element type that is supported")
    net.spend(node, bottom.shape.count)
    return np.eye(*bottom.shape.dims, k=node.integer("k", 0), dtype=ElementType(number).numpy)


def _blocks(node: Node, net: Translation) -> tuple[Blob, int]:
    bottom, block = net.blob(node, 0), node.integer("blocksize")
    if bottom.shape.rank != 4 or not 1 <= block <= 2**10:
        raise node.error(f"input 0 must have four dimensions (N, C, H, W), and blocksize be from 1 to {2**10}")
    return bottom, block
