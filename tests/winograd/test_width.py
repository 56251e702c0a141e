"""Every derived width holds the worst input of every position, and one bit less does not."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from cortado.errors import ConfigurationError
from cortado.winograd.golden import (
    input_transform,
    inverse_transform,
    multiply_accumulate,
    weight_transform,
)
from cortado.winograd.transform import IntMatrix, WinogradTransform
from cortado.winograd.width import WinogradWidths

OPERANDS = [(8, 8), (16, 8), (16, 16), (8, 4)]
EVERY = [WinogradWidths(WinogradTransform(m), *bits) for m, bits in product((2, 3, 4, 5, 6), OPERANDS)]


def name(widths: WinogradWidths) -> str:
    return f"{widths.transform}-{widths.data_bits}x{widths.weight_bits}"


def fits(value: int, bits: int) -> bool:
    return -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


def extreme_tiles(matrix: IntMatrix, bits: int) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    """By position of `matrix x matrix^T`: the tile x of `bits`-bit numbers that makes it smallest, and largest."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    tiles = {}
    for i, j in product(range(len(matrix)), repeat=2):
        coefficients = np.outer(matrix[i], matrix[j])
        tiles[i, j] = np.where(coefficients > 0, low, high), np.where(coefficients > 0, high, low)
    return tiles


def both_sides(matrix: IntMatrix, tile: np.ndarray) -> list[list[int]]:
    """matrix tile matrix^T by nested loops over Python's whole numbers."""
    size = len(tile)
    return [
        [sum(a[p] * b[q] * int(tile[p, q]) for p, q in product(range(size), repeat=2)) for b in matrix]
        for a in matrix
    ]


@pytest.mark.parametrize(
    ("m", "data_bits", "weight_bits", "v_bits", "u_bits", "accumulator_bits"),
    [
        (2, 8, 8, 10, 12, 30),
        (4, 8, 8, 15, 14, 34),
        (6, 8, 8, 20, 14, 34),
        (2, 16, 8, 18, 12, 38),
        (2, 16, 16, 18, 20, 46),
        (4, 16, 8, 23, 14, 42),
        (4, 16, 16, 23, 22, 50),
    ],
)
def test_widths_are_those_of_the_design(m: int, data_bits: int, weight_bits: int, v_bits: int, u_bits: int,
                                        accumulator_bits: int) -> None:
    widths = WinogradWidths(WinogradTransform(m), data_bits, weight_bits, largest_taps=512 * 9)
    assert (widths.v_bits, widths.u_bits) == (v_bits, u_bits)
    assert widths.accumulator_bits == accumulator_bits


@pytest.mark.parametrize("widths", EVERY, ids=name)
def test_transformed_tiles_fit_and_no_bit_is_spare(widths: WinogradWidths) -> None:
    stages = [
        (widths.transform.bt, widths.data_bits, widths.v_bits, input_transform),
        (widths.transform.g, widths.weight_bits, widths.u_bits, weight_transform),
    ]
    for matrix, operand_bits, stage_bits, golden in stages:
        reached = []
        for (i, j), tiles in extreme_tiles(matrix, operand_bits).items():
            for tile in tiles:
                expected = both_sides(matrix, tile)
                assert golden(widths.transform, tile).tolist() == expected
                reached.append(expected[i][j])
        assert all(fits(value, stage_bits) for value in reached)
        assert not all(fits(value, stage_bits - 1) for value in reached)


@pytest.mark.parametrize("widths", EVERY, ids=name)
def test_half_transformed_tiles_fit_and_no_bit_is_spare(widths: WinogradWidths) -> None:
    for matrix, operand_bits, stage_bits in ((widths.transform.bt, widths.data_bits, widths.v_row_bits),
                                             (widths.transform.g, widths.weight_bits, widths.u_row_bits)):
        low, high = -(2 ** (operand_bits - 1)), 2 ** (operand_bits - 1) - 1
        reached = [
            sum(entry * (first if entry > 0 else second) for entry in row)
            for row in matrix
            for first, second in ((low, high), (high, low))
        ]
        assert all(fits(value, stage_bits) for value in reached)
        assert not all(fits(value, stage_bits - 1) for value in reached)


@pytest.mark.parametrize("widths", EVERY, ids=name)
def test_products_fit_and_no_bit_is_spare(widths: WinogradWidths) -> None:
    data = extreme_tiles(widths.transform.bt, widths.data_bits)
    weights = extreme_tiles(widths.transform.g, widths.weight_bits)
    reached = []
    for i, j in data:
        v = [both_sides(widths.transform.bt, tile)[i][j] for tile in data[i, j]]
        u = [both_sides(widths.transform.g, tile)[i][j] for tile in weights[i, j]]
        reached += [left * right for left, right in product(v, u)]
    assert all(fits(value, widths.product_bits) for value in reached)
    assert not all(fits(value, widths.product_bits - 1) for value in reached)
    assert widths.product_bits < widths.v_bits + widths.u_bits


@pytest.mark.parametrize("channels", [1, 3, 64, 512])
@pytest.mark.parametrize(("data_bits", "weight_bits"), OPERANDS)
@pytest.mark.parametrize("m", [2, 4, 6])
def test_accumulators_of_the_derived_width_are_enough_and_one_bit_less_is_not(m: int, data_bits: int, weight_bits: int,
                                                                             channels: int) -> None:
    transform = WinogradTransform(m)
    width = WinogradWidths(transform, data_bits, weight_bits, largest_taps=channels * 9).accumulator_bits
    low_datum, low_weight, high_weight = -(2 ** (data_bits - 1)), -(2 ** (weight_bits - 1)), 2 ** (weight_bits - 1) - 1
    v = input_transform(transform, np.full((channels, 1, transform.alpha, transform.alpha), low_datum))

    def constant_layer(weight: int, accumulator_bits: int) -> np.ndarray:
        u = weight_transform(transform, np.full((1, channels, 3, 3), weight))
        return inverse_transform(transform, multiply_accumulate(u, v, accumulator_bits), accumulator_bits)

    largest, smallest = (channels * 9 * low_datum * weight for weight in (low_weight, high_weight))
    assert (constant_layer(low_weight, width) == largest).all()
    assert (constant_layer(high_weight, width) == smallest).all()
    assert (constant_layer(low_weight, width - 1) != largest).all()


def test_the_sum_of_512_channels_needs_28_bits() -> None:
    widths = WinogradWidths(WinogradTransform(4))
    assert widths.largest_taps == 512 * 9
    assert widths.y_bits == 28
    assert fits(512 * 9 * 128 * 128, 28)
    assert not fits(512 * 9 * 128 * 128, 27)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data_bits": 17}, r"data_bits must be 2 to 16, not 17"),
        ({"weight_bits": 1}, r"weight_bits must be 2 to 16, not 1"),
        ({"largest_taps": 8}, r"largest_taps must be at least 9, the taps of one input channel, not 8"),
        ({"largest_taps": 2**45},
         r"the accumulator must be at most 64 bits, not 67; lower data_bits, weight_bits or largest_taps"),
    ],
)
def test_widths_outside_the_range_are_refused(fields: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^F\(4x4,3x3\): {message}$"):
        WinogradWidths(WinogradTransform(4), **fields)
