"""Seeded int8 numbers that stress whole-number arithmetic."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

KINDS = ("random", "ends", "low", "high", "alternating")


def int8_numbers(rng: random.Random, shape: tuple[int, ...], kind: str | None = None) -> NDArray[np.int64]:
    """Int8 numbers as int64, random or extremes that make the longest sums: of a random kind where none is named."""
    generator = np.random.default_rng(rng.getrandbits(32))
    checkerboard = np.indices(shape).sum(axis=0) % 2
    return {
        "random": lambda: generator.integers(-128, 128, shape),
        "ends": lambda: generator.choice([-128, 127], shape),
        "low": lambda: np.full(shape, -128),
        "high": lambda: np.full(shape, 127),
        "alternating": lambda: np.where(checkerboard, 127, -128),
    }[kind or rng.choice(KINDS)]()


def matrices(values: NDArray[np.int64]) -> list:
    """Matrices (..., rows, columns) as the flat lists of a payload, row by row."""
    return values.reshape(*values.shape[:-2], -1).tolist()
