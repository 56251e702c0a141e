"""What a solver tells while it trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cortado.solver.score import Scores


@dataclass(frozen=True, kw_only=True)
class Displayed:
    """Every `display` iterations: the loss averaged over `average_loss` iterations, and outputs of the last batch.

    `rate` is None after the last iteration, when no more steps are made.
    """

    iteration: int
    loss: float
    rate: float | None
    outputs: Mapping[str, np.ndarray] = field(repr=False)
    loss_weights: Mapping[str, float]
    seconds: float
    """Since the one before."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Every `test_interval` iterations, for each test network, counted from 0."""

    iteration: int
    network: int
    scores: Scores


@dataclass(frozen=True, kw_only=True)
class SnapshotWritten:
    """A whole snapshot is there; `path` is its solver state."""

    iteration: int
    path: Path


Event = Displayed | Scored | SnapshotWritten
Listener = Callable[[Event], None]
