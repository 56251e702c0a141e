"""The range of every blob, seen over calibration pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from cortado.errors import PlanError
from cortado.net.net import Net
from cortado.numerics.fixed_point import FixedPoint
from cortado.planner.quantisation import INT8

# Values of a blob that are looked at: beyond this many, every n-th.
LARGEST_SAMPLE = 2**20

# Ranges tried between LEAST_SHARE of the largest magnitude and all of it, and the bins their errors are counted in:
# 64 for each step of int8 at the largest range, 13 at the smallest.
LEAST_SHARE = 0.2
SHARES = 41
BINS = 64 * INT8.max


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How ranges are chosen: by least squared error, or by the given percentile of the magnitudes.

    A range below the largest magnitude cuts off a few values and represents all others in finer steps. The range of
    least squared error is where both together err least on the calibration pictures; the steps of int16 are so fine
    that it is the whole. Percentile 100 cuts off none.
    Raises `PlanError` for a percentile that is not above 0 and at most 100.
    """

    percentile: float | None = None

    def __post_init__(self) -> None:
        if self.percentile is not None and not 0 < self.percentile <= 100:
            raise PlanError(f"calibration: the percentile must be above 0 and at most 100, not {self.percentile}")

    def __str__(self) -> str:
        if self.percentile is None:
            return "least squared error"
        return "largest magnitude" if self.percentile == 100 else f"percentile {self.percentile:g} of the magnitudes"

    def ranges(self, net: Net, inputs: Mapping[str, np.ndarray],
               leaks: Mapping[str, float] | None = None, activations: FixedPoint = INT8) -> dict[str, float]:
        """The range of each blob, non-negative, over all `inputs` (float32 arrays by input blob).

        `leaks` has the slope, above 0, of the leaky ReLU that makes a blob on the FPGA: it acts on numbers that have
        the blob's scale already, so that scale must hold them as they are before it. `activations` is what blobs
        become.
        """
        with torch.no_grad():
            values = net({name: torch.from_numpy(value) for name, value in inputs.items()})
        return self.ranges_of(values, leaks, activations)

    def ranges_of(self, values: Mapping[str, torch.Tensor], leaks: Mapping[str, float] | None = None,
                  activations: FixedPoint = INT8) -> dict[str, float]:
        """As `ranges`, from the values of the blobs themselves."""
        is_fine = activations.width > INT8.width
        return {name: self._range(value, (leaks or {}).get(name, 1.0), is_fine) for name, value in values.items()}

    def _range(self, values: torch.Tensor, slope: float, is_fine: bool) -> float:
        # A blob of whole numbers or truth values has a range too, though it stays on the host.
        numbers = values.detach().float().numpy().reshape(-1)
        magnitudes = np.abs(numbers if slope == 1 else np.where(numbers < 0, numbers / np.float32(slope), numbers))
        largest = float(magnitudes.max())
        keeps_all = self.percentile == 100 or (self.percentile is None and is_fine)
        if keeps_all or largest == 0 or not np.isfinite(largest):
            return largest
        sample = magnitudes[::-(-magnitudes.size // LARGEST_SAMPLE)]
        return least_error_range(sample, largest) if self.percentile is None else float(
            np.percentile(sample, self.percentile))


def least_error_range(magnitudes: np.ndarray, largest: float) -> float:
    """The range, at most `largest`, for which int8 has the least squared error over `magnitudes`."""
    counts, edges = np.histogram(magnitudes, bins=BINS, range=(0, largest))
    centres = (edges[:-1] + edges[1:]) / 2
    ranges = np.linspace(LEAST_SHARE, 1, SHARES) * largest
    errors = [counts @ (np.minimum(np.rint(centres / (limit / INT8.max)), INT8.max) * (limit / INT8.max)
                        - centres) ** 2 for limit in ranges]
    # A later one wins a draw: it cuts off less.
    return float(ranges[::-1][int(np.argmin(errors[::-1]))])
