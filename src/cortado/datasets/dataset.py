"""Labelled pictures a model can be calibrated and judged with, found by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cortado.registry import Registry

# Pictures float32 (N, C, H, W) as the network takes them, and labels int64 (N,).
Labelled = tuple[np.ndarray, np.ndarray]

datasets: Registry[Dataset] = Registry("dataset")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """`held_out` was never trained on; `training` serves calibration too."""

    title: str
    held_out: Callable[[], Labelled]
    training: Callable[[], Labelled]
