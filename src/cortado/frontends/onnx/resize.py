"""Resize, and Upsample, which it replaced."""

from __future__ import annotations

import math

from cortado.frontends.onnx.element import COMPUTABLE
from cortado.frontends.onnx.node import Node
from cortado.frontends.onnx.operator_registry import operators
from cortado.frontends.onnx.translation import Blob, Translation, Value
from cortado.layers.resize import CoordinateMode, Interpolation, NearestMode, ResizeParameters


@operators.register("Upsample")
def upsample(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    if net.opset < 9:
        # Of an attribute of numbers.
        scales = node.numbers("scales")
    else:
        scales = _numbers(node, net, 1)
    axes = tuple(range(bottom.shape.rank))
    return _resized(node, net, bottom, axes, scales, None, _interpolation(node, "nearest"), roi=(),
                    coordinate_mode=CoordinateMode.ASYMMETRIC, nearest_mode=NearestMode.FLOOR)


@operators.register("Resize")
def resize(node: Node, net: Translation) -> Value:
    bottom = net.blob(node, 0)
    rank = bottom.shape.rank
    interpolation = _interpolation(node, "nearest")
    if net.opset < 11:
        return _resized(node, net, bottom, tuple(range(rank)), _numbers(node, net, 1), None, interpolation, roi=(),
                        coordinate_mode=CoordinateMode.ASYMMETRIC, nearest_mode=NearestMode.FLOOR)
    axes = tuple(node.front_axis(axis, rank) for axis in node.integers("axes", tuple(range(rank))))
    mode = _word(node, "coordinate_transformation_mode", "half_pixel", CoordinateMode)
    nearest = _word(node, "nearest_mode", "round_prefer_floor", NearestMode)
    roi = _numbers(node, net, 1) if node.reads(1) and mode is CoordinateMode.TF_CROP_AND_RESIZE else ()
    scales = _numbers(node, net, 2) if node.reads(2) else ()
    sizes = net.integers(node, 3) if node.reads(3) else None
    if bool(scales) == bool(sizes):
        raise node.error("there must be either scales or sizes")
    return _resized(node, net, bottom, axes, scales, sizes, interpolation, roi=roi, coordinate_mode=mode,
                    nearest_mode=nearest)


def _resized(node: Node, net: Translation, bottom: Blob, axes: tuple[int, ...], scales: tuple[float, ...],
             sizes: tuple[int, ...] | None, interpolation: Interpolation, *, roi: tuple[float, ...],
             coordinate_mode: CoordinateMode, nearest_mode: NearestMode) -> Value:
    """Axes that stay as they are are left alone."""
    found = [bottom.shape.dims[axis] for axis in axes]
    if len(set(axes)) != len(axes) or len(scales or sizes) != len(axes):
        raise node.error(f"scales or sizes must be one for each of {len(axes)} different axes, "
                         f"not {len(scales or sizes)}")
    if roi and len(roi) != 2 * len(axes):
        raise node.error(f"the region must be {2 * len(axes)} numbers, not {len(roi)}")
    if sizes:
        scales, sizes = _by_sizes(node, found, sizes)
    else:
        if not all(math.isfinite(scale) for scale in scales):
            raise node.error("scales must be finite")
        sizes = tuple(math.floor(scale * size) for scale, size in zip(scales, found, strict=True))
    if bottom.element not in COMPUTABLE or (interpolation is not Interpolation.NEAREST and not bottom.element.is_real):
        raise node.error(f"values of {bottom.element.name} are not supported")
    kept = [place for place, (size, scale) in enumerate(zip(found, scales, strict=True))
            if sizes[place] != size or scale != 1 or (roi and (roi[place], roi[len(axes) + place]) != (0, 1))]
    # Options whose value changes nothing where the kind of interpolation does not ask for them.
    coefficient = node.number("cubic_coeff_a", -0.75)
    outside, antialias = node.integer("exclude_outside", 0) != 0, node.integer("antialias", 0) != 0
    extrapolation = node.number("extrapolation_value", 0.0)
    if not kept:
        return bottom
    parameters = ResizeParameters(
        axis=tuple(axes[place] for place in kept), size=tuple(sizes[place] for place in kept),
        scale=tuple(scales[place] for place in kept), roi_start=tuple(roi[place] for place in kept) if roi else (),
        roi_end=tuple(roi[len(axes) + place] for place in kept) if roi else (), interpolation=interpolation,
        coordinate_mode=coordinate_mode, nearest_mode=nearest_mode, cubic_coeff_a=coefficient,
        exclude_outside=outside, antialias=antialias, extrapolation_value=extrapolation)
    return net.add(node, "Resize", (bottom,), parameters)


def _by_sizes(node: Node, found: list[int], sizes: tuple[int, ...]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Scales from sizes, where the shape of a picture may have to stay."""
    policy = node.text("keep_aspect_ratio_policy", "stretch")
    if policy not in ("stretch", "not_larger", "not_smaller"):
        raise node.error("keep_aspect_ratio_policy must be stretch, not_larger or not_smaller")
    scales = tuple(size / before for size, before in zip(sizes, found, strict=True))
    if policy != "stretch":
        one = min(scales) if policy == "not_larger" else max(scales)
        scales = (one,) * len(sizes)
        sizes = tuple(math.floor(one * before + 0.5) for before in found)
    return scales, sizes


def _interpolation(node: Node, default: str) -> Interpolation:
    word = node.text("mode", default)
    # What opset 7 to 10 call it.
    word = "linear" if word == "bilinear" else word
    if word.upper() not in Interpolation.__members__:
        raise node.error("mode must be nearest, linear or cubic")
    return Interpolation[word.upper()]


def _word(node: Node, name: str, default: str, words: type[CoordinateMode] | type[NearestMode]) -> object:
    word = node.text(name, default).upper()
    if word not in words.__members__:
        raise node.error(f"{name} must be one of {', '.join(words.__members__).lower()}")
    return words[word]


def _numbers(node: Node, net: Translation, index: int) -> tuple[float, ...]:
    values = net.numbers(node, index)
    if values.size > 64 or values.ndim != 1:
        raise node.error(f"input {index} must be up to 64 numbers")
    return tuple(float(value) for value in values)
