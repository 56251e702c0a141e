"""Quant: real values rounded to those a few bits can represent, as QONNX has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import torch
from torch import Tensor

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.broadcast import broadcast_shape
from cortado.layers.layer import Layer, layer_types
from cortado.layers.parameter import ParameterShape


class Rounding(Enum):
    """Which whole number a value becomes (QONNX: rounding_mode)."""

    ROUND = 0
    """The nearest, half to even."""
    CEIL = 1
    FLOOR = 2
    UP = 3
    """Away from zero."""
    DOWN = 4
    """Towards zero."""
    HALF_UP = 5
    """The nearest, half away from zero."""
    HALF_DOWN = 6
    """The nearest, half towards zero."""


@dataclass(frozen=True, kw_only=True)
class QuantParameters:
    """Shapes of scale and zero point, and the whole numbers from `least` to `most` that there are."""

    scale_shape: ParameterShape = field(default_factory=ParameterShape)
    zero_point_shape: ParameterShape = field(default_factory=ParameterShape)
    least: float
    most: float
    rounding: Rounding = Rounding.ROUND

    def __post_init__(self) -> None:
        if not self.least < self.most:
            raise FieldError("most", f"must be above the least number {self.least:g}, not {self.most:g}")


@layer_types.register("Quant")
class Quant(Layer):
    """(round(clip(x / scale + zero point, least, most)) - zero point) * scale: what a fixed-point circuit would hold.

    Blobs: scale, zero point, each broadcast over the bottom. Source: QONNX, "Quant"; Pappalardo et al. 2022.
    """

    parameters_type = QuantParameters
    parameters_field = "quant_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        if broadcast_shape(spec, (*bottoms, *cls.blob_shapes(spec, bottoms))) != bottoms[0]:
            raise spec.error(f"scale and zero point must broadcast over bottom '{spec.bottoms[0]}', {bottoms[0]}")
        return bottoms

    @classmethod
    def blob_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters = spec.parameters
        return TensorShape(parameters.scale_shape.dim), TensorShape(parameters.zero_point_shape.dim)

    @classmethod
    def macs(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> int:
        return 0

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return False

    @classmethod
    def seeded_blobs(cls, spec: LayerSpec, shapes: tuple[TensorShape, ...],
                     generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Scale 1, zero point 0."""
        return np.ones(shapes[0].dims, np.float32), np.zeros(shapes[1].dims, np.float32)

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters = self.spec.parameters
        scale, zero_point = self.blobs
        # Clipped before it is rounded, as QONNX has it.
        whole = (bottoms[0] / scale + zero_point).clamp(parameters.least, parameters.most)
        return ((_ROUNDINGS[parameters.rounding](whole) - zero_point) * scale,)


def _half_up(x: Tensor) -> Tensor:
    return x.sign() * (x.abs() + 0.5).floor()


def _half_down(x: Tensor) -> Tensor:
    return x.sign() * (x.abs() - 0.5).ceil()


_ROUNDINGS: dict[Rounding, Callable[[Tensor], Tensor]] = {
    Rounding.ROUND: torch.round, Rounding.CEIL: torch.ceil, Rounding.FLOOR: torch.floor,
    Rounding.UP: lambda x: x.sign() * x.abs().ceil(), Rounding.DOWN: torch.trunc, Rounding.HALF_UP: _half_up,
    Rounding.HALF_DOWN: _half_down,
}
