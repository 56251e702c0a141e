"""The exact Winograd convolution stage by stage, on whole numbers: what each part of the gateware must equal.

Every function is plain int64 arithmetic. int64 wraps modulo 2**64, a multiple of every accumulator's modulus, so a
result is exact modulo 2**accumulator_bits whatever happens above.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cortado.errors import GraphError
from cortado.numerics.convolution import Pad
from cortado.numerics.fixed_point import wrap
from cortado.winograd.division import ExactDivision
from cortado.winograd.tiling import TileGrid
from cortado.winograd.transform import IntMatrix, WinogradTransform


def input_transform(transform: WinogradTransform, tiles: NDArray[np.integer]) -> NDArray[np.int64]:
    """V = bt d bt^T for input tiles d (..., alpha, alpha): int64 of the same shape."""
    return _both_sides(transform.bt, tiles)


def weight_transform(transform: WinogradTransform, weight: NDArray[np.integer]) -> NDArray[np.int64]:
    """U = g w g^T for filters w (..., r, r): int64 (..., alpha, alpha)."""
    return _both_sides(transform.g, weight)


def multiply_accumulate(u: NDArray[np.int64], v: NDArray[np.int64], accumulator_bits: int) -> NDArray[np.int64]:
    """The sums over input channels of U . V, modulo 2**accumulator_bits.

    `u` is (K, C, alpha, alpha), `v` (C, tiles, alpha, alpha), the result (K, tiles, alpha, alpha) in two's complement.
    """
    # One matrix product over channels per position of the tile.
    sums = np.matmul(np.moveaxis(u, (2, 3), (0, 1)), np.moveaxis(v, (2, 3), (0, 1)))
    return wrap(np.moveaxis(sums, (0, 1), (2, 3)), accumulator_bits)


def inverse_transform(transform: WinogradTransform, sums: NDArray[np.int64],
                      accumulator_bits: int) -> NDArray[np.int64]:
    """The results (..., m, m) from sums (..., alpha, alpha): at sums at^T modulo 2**accumulator_bits, over the scale.

    The quotient keeps accumulator_bits - v2 bits: it is the exact result when that many bits hold it.
    """
    scaled = wrap(_both_sides(transform.at, sums), accumulator_bits)
    return ExactDivision(transform.scale, accumulator_bits).apply(scaled)


def winograd_convolution(x: NDArray[np.integer], weight: NDArray[np.integer], transform: WinogradTransform,
                         pad: Pad, accumulator_bits: int) -> NDArray[np.int64]:
    """The sums of a convolution, int64 (N, K, P, Q), by way of every stage above.

    `x` is (N, C, H, W), `weight` (K, C, r, r), both whole numbers; `pad` is (top, bottom, left, right).
    Raises `GraphError` for shapes that do not fit together.
    """
    r = transform.r
    if weight.ndim != 4 or weight.shape[2:] != (r, r):
        raise GraphError(f"{transform}: weight must have shape (K, C, {r}, {r}), not {weight.shape}")
    if x.ndim != 4 or len(x) == 0 or x.shape[1] != weight.shape[1]:
        raise GraphError(f"{transform}: the input must have shape (N, {weight.shape[1]}, H, W), N at least 1, "
                         f"not {x.shape}")
    grid = TileGrid(transform=transform, height=x.shape[2], width=x.shape[3], pad=pad)
    u = weight_transform(transform, weight)
    pictures = []
    for picture in x:
        v = input_transform(transform, grid.cut(picture))
        sums = multiply_accumulate(u, v, accumulator_bits)
        pictures.append(grid.join(inverse_transform(transform, sums, accumulator_bits)))
    return np.stack(pictures)


def _both_sides(matrix: IntMatrix, tiles: NDArray[np.integer]) -> NDArray[np.int64]:
    """matrix tile matrix^T for each of the tiles (..., n, n)."""
    left = np.array(matrix, dtype=np.int64)
    return left @ tiles.astype(np.int64) @ left.T
