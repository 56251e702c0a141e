"""Pad: more rows, columns, channels or anything else around a blob, or fewer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor
from torch.nn import functional

from cortado.errors import FieldError
from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec
from cortado.layers.layer import UntrainedLayer, layer_types


class PadMode(Enum):
    """What is put around the bottom."""

    CONSTANT = 0
    EDGE = 1
    REFLECT = 2
    """Mirrored at the last value, which is not repeated."""
    WRAP = 3


@dataclass(frozen=True, kw_only=True)
class PadParameters:
    """How much before and behind each axis; negative numbers cut off."""

    begin: tuple[int, ...] = ()
    end: tuple[int, ...] = ()
    mode: PadMode = PadMode.CONSTANT
    value: float = 0.0

    def __post_init__(self) -> None:
        if len(self.begin) != len(self.end):
            raise FieldError("end", f"must have one value for each of {len(self.begin)} of begin, not {len(self.end)}")


@layer_types.register("Pad")
class Pad(UntrainedLayer):
    """The bottom with something around it, as ONNX's Pad; what is negative is cut off first."""

    parameters_type = PadParameters
    parameters_field = "pad_param"

    @classmethod
    def top_shapes(cls, spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> tuple[TensorShape, ...]:
        parameters, dims = spec.parameters, bottoms[0].dims
        if len(parameters.begin) != len(dims):
            raise spec.error(f"begin must have one value for each of the {len(dims)} axes of bottom "
                             f"'{spec.bottoms[0]}', not {len(parameters.begin)}")
        for axis, (size, begin, end) in enumerate(zip(dims, parameters.begin, parameters.end, strict=True)):
            left = size + min(begin, 0) + min(end, 0)
            if left < 1:
                raise spec.error(f"something of the {size} of axis {axis} must be left, {begin} and {end} take all")
            if parameters.mode is PadMode.REFLECT and max(begin, end) >= left and max(begin, end) > 0:
                raise spec.error(f"axis {axis} must be padded by less than its {left} values where they are mirrored, "
                                 f"not by {max(begin, end)}")
        return (TensorShape(tuple(size + begin + end for size, begin, end in zip(
            dims, parameters.begin, parameters.end, strict=True))),)

    @classmethod
    def keeps_scale(cls, spec: LayerSpec) -> bool:
        return spec.parameters.mode is not PadMode.CONSTANT or spec.parameters.value == 0

    def forward(self, *bottoms: Tensor) -> tuple[Tensor, ...]:
        parameters, x = self.spec.parameters, bottoms[0]
        pairs = tuple(zip(parameters.begin, parameters.end, strict=True))
        if parameters.mode is PadMode.CONSTANT:
            value = parameters.value if x.is_floating_point() else int(parameters.value)
            return (functional.pad(x, [amount for pair in reversed(pairs) for amount in pair], value=value),)
        for axis, (begin, end) in enumerate(pairs):
            if begin or end:
                x = x.index_select(axis, self._places(x.shape[axis], begin, end))
        return (x,)

    def _places(self, size: int, begin: int, end: int) -> Tensor:
        """Which values of an axis there are along it afterwards."""
        first, last = max(-begin, 0), size - 1 + min(end, 0)
        count = last - first + 1
        places = torch.arange(-max(begin, 0), count + max(end, 0))
        match self.spec.parameters.mode:
            case PadMode.EDGE:
                places = places.clamp(0, count - 1)
            case PadMode.WRAP:
                places = places % count
            case PadMode.REFLECT:
                period = max(2 * (count - 1), 1)
                places = (places % period).minimum(-places % period)
        return places + first
