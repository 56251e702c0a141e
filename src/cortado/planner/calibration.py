"""The range of every blob, seen over calibration pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from cortado.errors import PlanError
from cortado.net.net import Net

# Values of a blob a percentile looks at: beyond this many, every n-th.
LARGEST_SAMPLE = 2**20


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How ranges are chosen: the largest magnitude, or the given percentile of the magnitudes.

    Raises `PlanError` for a percentile that is not above 0 and at most 100.
    """

    percentile: float = 100.0

    def __post_init__(self) -> None:
        if not 0 < self.percentile <= 100:
            raise PlanError(f"calibration: the percentile must be above 0 and at most 100, not {self.percentile}")

    def __str__(self) -> str:
        return "largest magnitude" if self.percentile == 100 else f"percentile {self.percentile:g} of the magnitudes"

    def ranges(self, net: Net, inputs: Mapping[str, np.ndarray]) -> dict[str, float]:
        """The range of each blob, non-negative, over all `inputs` (float32 arrays by input blob)."""
        with torch.no_grad():
            values = net({name: torch.from_numpy(value) for name, value in inputs.items()})
        return {name: self._range(value) for name, value in values.items()}

    def _range(self, values: torch.Tensor) -> float:
        magnitudes = np.abs(values.detach().numpy()).reshape(-1)
        if self.percentile == 100:
            return float(magnitudes.max())
        step = -(-magnitudes.size // LARGEST_SAMPLE)
        return float(np.percentile(magnitudes[::step], self.percentile))
