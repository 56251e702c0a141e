"""The log-difference model of an epidemic."""

from __future__ import annotations

from enum import Enum

import numpy as np


class LogBase(Enum):
    """The paper writes the natural logarithm; its data and notebooks have base 10."""

    TEN = 0
    E = 1


def rolling_mean(cases: np.ndarray, days: int) -> np.ndarray:
    """The mean of each day and the `days - 1` before it, (n,) -> (n - days + 1,)."""
    sums = np.concatenate(([0.0], np.cumsum(cases)))
    return (sums[days:] - sums[:-days]) / days


def log_differences(cases: np.ndarray, *, smoothing: int, lag: int, base: LogBase = LogBase.TEN) -> np.ndarray:
    """log I(t) - log I(t - lag) of the mean over `smoothing` days, (n,) -> (n - smoothing + 1 - lag,).

    Above 0 the epidemic grows, below it declines. Source: the paper, section II and Proposition 2.
    """
    logarithm = (np.log10 if base is LogBase.TEN else np.log)(rolling_mean(cases, smoothing))
    return logarithm[lag:] - logarithm[:-lag]
