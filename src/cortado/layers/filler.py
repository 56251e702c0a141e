"""How a blob is filled before training (Caffe: FillerParameter). No layer type lives here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cortado.errors import FieldError


class VarianceNorm(Enum):
    """Which fan the xavier and msra fillers divide by."""

    FAN_IN = 0
    FAN_OUT = 1
    AVERAGE = 2


TYPES = ("constant", "uniform", "gaussian", "positive_unitball", "xavier", "msra", "bilinear")


@dataclass(frozen=True, kw_only=True)
class Filler:
    """Caffe's FillerParameter, with its defaults."""

    type: str = "constant"
    value: float = 0.0
    min: float = 0.0
    max: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    sparse: int = -1
    variance_norm: VarianceNorm = VarianceNorm.FAN_IN

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise FieldError("type", f"must be one of {', '.join(TYPES)}, not '{self.type}'")
