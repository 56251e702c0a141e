"""Resize: axes with more or fewer values, interpolated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types


class Interpolation(Enum):
    """What is between two values."""

    NEAREST = 0
    LINEAR = 1
    CUBIC = 2


class CoordinateMode(Enum):
    """Where a value of the top is in the bottom (ONNX: coordinate_transformation_mode)."""

    HALF_PIXEL = 0
    HALF_PIXEL_SYMMETRIC = 1
    PYTORCH_HALF_PIXEL = 2
    ALIGN_CORNERS = 3
    ASYMMETRIC = 4
    TF_CROP_AND_RESIZE = 5


class NearestMode(Enum):
    """Which of two neighbours is the nearest one."""

    ROUND_PREFER_FLOOR = 0
    ROUND_PREFER_CEIL = 1
    FLOOR = 2
    CEIL = 3


@dataclass(frozen=True, kw_only=True)
class ResizeParameters:
    """ONNX's attributes, with `size` and `scale` for each `axis`; `roi_start` and `roi_end` for TF_CROP_AND_RESIZE."""

    axis: tuple[int, ...] = ()
    size: tuple[int, ...] = ()
    scale: tuple[float, ...] = ()
    roi_start: tuple[float, ...] = ()
    roi_end: tuple[float, ...] = ()
    interpolation: Interpolation = Interpolation.NEAREST
    coordinate_mode: CoordinateMode = CoordinateMode.HALF_PIXEL
    nearest_mode: NearestMode = NearestMode.ROUND_PREFER_FLOOR
    cubic_coeff_a: float = -0.75
    exclude_outside: bool = False
    antialias: bool = False
    extrapolation_value: float = 0.0

    def __post_init__(self) -> None:
        for name in ("size", "scale"):
            if len(getattr(self, name)) != len(self.axis):
                raise FieldError(name, f"must have one value for each of {len(self.axis)} axes, "
                                       f"not {len(getattr(self, name))}")
        for index, scale in enumerate(self.scale):
            if not 1 / LARGEST_SCALE <= scale <= LARGEST_SCALE:
                raise FieldError("scale", f"must be from 1/{LARGEST_SCALE} to {LARGEST_SCALE}, not {scale:g}",
                                 index=index)
        for name in ("roi_start", "roi_end", "cubic_coeff_a"):
            values = getattr(self, name) if name != "cubic_coeff_a" else (self.cubic_coeff_a,)
            for index, value in enumerate(values):
                if not -LARGEST_SCALE <= value <= LARGEST_SCALE:
                    raise FieldError(name, f"must be from -{LARGEST_SCALE} to {LARGEST_SCALE}, not {value:g}",
                                     index=index)
        if self.coordinate_mode is CoordinateMode.TF_CROP_AND_RESIZE:
            for name in ("roi_start", "roi_end"):
                if len(getattr(self, name)) != len(self.axis):
                    raise FieldError(name, f"must have one value for each of {len(self.axis)} axes, "
                                           f"not {len(getattr(self, name))}")


# Beyond this a scale is a mistake in the file.
LARGEST_SCALE = 2**12


@layer_types.register("Resize")
class Resize(UntrainedLayer):
    """Each `axis` of the bottom with `size` values, as ONNX's Resize: one axis after the other, each by a matrix.

    A value of the top is a weighted sum of the values around its place in the bottom; beyond the ends they are those
    at the ends. Cubic: Keys 1981, "Cubic Convolution Interpolation". `antialias` makes the window of a smaller top as
    much wider.
    """

    parameters_type = ResizeParameters
    parameters_field = "resize_param"

    def __init__(self, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> None:
        super().__init__(spec, bottoms)
        self._steps = [_axis_matrix(spec.parameters, index, bottoms[0].dims[axis])
                       for index, axis in enumerate(spec.parameters.axis)]

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters, dims = spec.parameters, list(bottoms[0].dims)
        for axis, size in zip(parameters.axis, parameters.size, strict=True):
            if not 0 <= axis < len(dims):
                raise spec.error(f"axis must be below the {len(dims)} of bottom '{spec.bottoms[0]}', not {axis}")
            dims[axis] = size
        return (TensorShape(tuple(dims)),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return (spec.parameters.interpolation is Interpolation.NEAREST
                and spec.parameters.coordinate_mode is not CoordinateMode.TF_CROP_AND_RESIZE)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, x = self.spec.parameters, bottoms[0]
        outside = None
        for axis, (places, weights, beyond) in zip(parameters.axis, self._steps, strict=True):
            if parameters.interpolation is Interpolation.NEAREST:
                # Taken, not multiplied: no value is changed, whatever its type.
                x = x.index_select(axis, places.gather(1, weights.argmax(1, keepdim=True))[:, 0])
            else:
                matrix = torch.zeros((len(places), x.shape[axis]), dtype=torch.float64)
                matrix = matrix.scatter_add(1, places, weights).to(x.dtype)
                x = torch.tensordot(x, matrix, dims=([axis], [1])).movedim(-1, axis)
            shape = [1] * x.dim()
            shape[axis] = len(beyond)
            outside = beyond.reshape(shape) if outside is None else outside | beyond.reshape(shape)
        if outside is not None and bool(outside.any()):
            x = torch.where(outside, torch.tensor(parameters.extrapolation_value, dtype=x.dtype), x)
        return (x.contiguous(),)


def _axis_matrix(parameters: ResizeParameters, index: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each value of the top along an axis: the places and weights of those it is made of, and whether it lies
    outside the region of interest."""
    scale, count = parameters.scale[index], parameters.size[index]
    centres = _centres(parameters, index, size)
    # The neighbour on the left is one before the centre where the centre is on a value.
    left = np.ceil(centres) - 1
    ratios = centres - left
    weights = np.stack([_weights(parameters, ratio, scale) for ratio in ratios])
    places = left[:, None] + 1 - weights.shape[1] // 2 + np.arange(weights.shape[1])
    if parameters.exclude_outside:
        weights = np.where((places < 0) | (places >= size), 0, weights)
        total = weights.sum(1, keepdims=True)
        weights = weights / np.where(total == 0, 1, total)
    beyond = np.zeros(count, bool)
    if parameters.coordinate_mode is CoordinateMode.TF_CROP_AND_RESIZE:
        beyond = (centres < 0) | (centres > size - 1)
    return (torch.from_numpy(places.clip(0, size - 1).astype(np.int64)), torch.from_numpy(weights),
            torch.from_numpy(beyond))


def _centres(parameters: ResizeParameters, index: int, size: int) -> np.ndarray:
    """Where each value of the top is in the bottom."""
    scale, count = parameters.scale[index], parameters.size[index]
    places, exact = np.arange(count, dtype=np.float64), scale * size
    match parameters.coordinate_mode:
        case CoordinateMode.ALIGN_CORNERS:
            return places * 0 if exact == 1 else places * (size - 1) / (exact - 1)
        case CoordinateMode.ASYMMETRIC:
            return places / scale
        case CoordinateMode.TF_CROP_AND_RESIZE:
            start, end = parameters.roi_start[index], parameters.roi_end[index]
            if exact == 1:
                return places * 0 + (end - start) * (size - 1) / 2 + start * (size - 1)
            return places * (end - start) * (size - 1) / (exact - 1) + start * (size - 1)
        case CoordinateMode.PYTORCH_HALF_PIXEL if exact == 1:
            return places * 0 - 0.5
        case CoordinateMode.HALF_PIXEL_SYMMETRIC:
            return size / 2 * (1 - count / exact) + (places + 0.5) / scale - 0.5
    return (places + 0.5) / scale - 0.5


def _weights(parameters: ResizeParameters, ratio: float, scale: float) -> np.ndarray:
    """Of the values around a place `ratio` behind its left neighbour, above 0 and at most 1; an even number."""
    if parameters.interpolation is Interpolation.NEAREST:
        right = ratio == 1 or {
            NearestMode.ROUND_PREFER_FLOOR: ratio > 0.5, NearestMode.ROUND_PREFER_CEIL: ratio >= 0.5,
            NearestMode.FLOOR: False, NearestMode.CEIL: True}[parameters.nearest_mode]
        return np.array([0.0, 1.0] if right else [1.0, 0.0])
    shrinking = min(scale, 1.0) if parameters.antialias else 1.0
    reach = 1 if parameters.interpolation is Interpolation.LINEAR else 2
    start = math.floor(-reach / shrinking) + 1
    distances = np.abs((np.arange(start, 2 - start) - ratio) * shrinking)
    if parameters.interpolation is Interpolation.LINEAR:
        weights = np.clip(1 - distances, 0, 1)
    else:
        a = parameters.cubic_coeff_a
        near = ((a + 2) * distances - (a + 3)) * distances**2 + 1
        far = ((a * distances - 5 * a) * distances + 8 * a) * distances - 4 * a
        weights = np.where(distances <= 1, near, np.where(distances < 2, far, 0))
    return weights / weights.sum() if parameters.antialias else weights
