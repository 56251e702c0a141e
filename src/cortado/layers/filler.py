"""How a blob is filled before training (Caffe: FillerParameter). No layer type lives here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from cortado.errors import FieldError, GraphError


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
        if self.sparse != -1 and (self.type != "gaussian" or self.sparse < 0):
            raise FieldError("sparse", f"must be -1 for none, or at least 0 with type gaussian, not {self.sparse}")

    def fill(self, dims: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Values, float32, of a blob of these dimensions; `GraphError` for dimensions the filler cannot take.

        The distributions are those of Caffe's `filler.hpp`; its draws are not repeated. Sources: Glorot & Bengio 2010,
        equation 16 (xavier); He et al. 2015, equation 10 (msra).
        """
        match self.type:
            case "constant":
                values = np.full(dims, self.value)
            case "uniform":
                values = generator.uniform(self.min, self.max, dims)
            case "gaussian":
                values = self.mean + self.std * generator.standard_normal(dims)
                if self.sparse >= 0:
                    # As many of each output's values stay as `sparse` says, on average.
                    values *= generator.random(dims) < self.sparse / dims[0]
            case "positive_unitball":
                values = generator.uniform(0, 1, dims)
                rows = values.reshape(dims[0], -1)
                rows /= rows.sum(1, keepdims=True)
            case "xavier":
                limit = math.sqrt(3 / self._fan(dims))
                values = generator.uniform(-limit, limit, dims)
            case "msra":
                values = math.sqrt(2 / self._fan(dims)) * generator.standard_normal(dims)
            case "bilinear":
                values = _bilinear(dims)
        return values.astype(np.float32)

    def _fan(self, dims: tuple[int, ...]) -> float:
        fan_in = math.prod(dims[1:])
        fan_out = math.prod(dims) // dims[1] if len(dims) > 1 else math.prod(dims)
        match self.variance_norm:
            case VarianceNorm.FAN_IN:
                return fan_in
            case VarianceNorm.FAN_OUT:
                return fan_out
            case VarianceNorm.AVERAGE:
                return (fan_in + fan_out) / 2


def _bilinear(dims: tuple[int, ...]) -> np.ndarray:
    """Kernels that interpolate, as Caffe's BilinearFiller."""
    if len(dims) != 4 or dims[2] != dims[3]:
        raise GraphError("the bilinear filler must have a blob of square kernels (N, C, K, K), not "
                         f"{'x'.join(map(str, dims))}")
    factor = math.ceil(dims[3] / 2)
    centre = (dims[3] - 1) / (2 * factor)
    row = 1 - np.abs(np.arange(dims[3]) / factor - centre)
    return np.broadcast_to(np.outer(row, row), dims)
