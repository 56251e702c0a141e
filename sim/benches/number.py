"""Seeded numbers that stress whole-number arithmetic."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

KINDS = ("random", "ends", "low", "high", "alternating")


def int8_numbers(rng: random.Random, shape: tuple[int, ...], kind: str | None = None) -> NDArray[np.int64]:
    """Int8 numbers as int64, random or extremes that make the longest sums: of a random kind where none is named."""
    return numbers(rng, shape, 8, kind)


def numbers(rng: random.Random, shape: tuple[int, ...], bits: int, kind: str | None = None) -> NDArray[np.int64]:
    """Two's complement numbers of so many bits, as `int8_numbers`."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    generator = np.random.default_rng(rng.getrandbits(32))
    checkerboard = np.indices(shape).sum(axis=0) % 2
    return {
        "random": lambda: generator.integers(low, high + 1, shape),
        "ends": lambda: generator.choice([low, high], shape),
        "low": lambda: np.full(shape, low),
        "high": lambda: np.full(shape, high),
        "alternating": lambda: np.where(checkerboard, high, low),
    }[kind or rng.choice(KINDS)]()


def matrices(values: NDArray[np.int64]) -> list:
    """Matrices (..., rows, columns) as the flat lists of a payload, row by row."""
    return values.reshape(*values.shape[:-2], -1).tolist()
