"""Products with constants, evaluated by Amaranth's simulator against whole-number arithmetic."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.sim import Simulator
from hypothesis import given
from hypothesis import strategies as st

from cortado.gateware.linear import matrix_product, signed_digits, times, weighted_sum
from cortado.numerics.fixed_point import wrap
from cortado.winograd.transform import IntMatrix, WinogradTransform

VALUE_BITS = 8
VECTORS = 40


@given(st.integers(-2**40, 2**40))
def test_digits_sum_to_the_constant_and_none_are_neighbours(constant: int) -> None:
    terms = signed_digits(constant)
    assert sum(digit << shift for shift, digit in terms) == constant
    assert {digit for _, digit in terms} <= {-1, 1}
    shifts = [shift for shift, _ in terms]
    assert all(later - earlier > 1 for earlier, later in itertools.pairwise(shifts))


def test_digits_are_as_few_as_possible() -> None:
    powers = [sign << shift for shift in range(9) for sign in (1, -1)]
    fewest = {0: 0}
    for count in (1, 2, 3, 4):
        for terms in itertools.combinations(powers, count):
            fewest.setdefault(sum(terms), count)
    for constant in range(-64, 65):
        assert len(signed_digits(constant)) == fewest[constant]


@pytest.mark.parametrize(("constant", "terms"), [
    (0, []), (1, [(0, 1)]), (3, [(0, -1), (2, 1)]), (5, [(0, 1), (2, 1)]), (7, [(0, -1), (3, 1)]), (-4, [(2, -1)])])
def test_digits_of_examples(constant: int, terms: list[tuple[int, int]]) -> None:
    assert signed_digits(constant) == terms


def rtl_products(matrix: IntMatrix, vectors: np.ndarray, width: int) -> np.ndarray:
    """The circuit's products (vectors, rows) of `matrix` with int vectors (vectors, columns)."""
    m = Module()
    values = [Signal(signed(VALUE_BITS), name=f"value_{index}") for index in range(len(matrix[0]))]
    results = matrix_product(m, matrix, values, width, "product")
    products = np.zeros((len(vectors), len(matrix)), np.int64)

    async def evaluate(ctx: object) -> None:
        for number, vector in enumerate(vectors):
            for signal, value in zip(values, vector, strict=True):
                ctx.set(signal, int(value))
            await ctx.delay(1e-9)
            products[number] = [ctx.get(result) for result in results]

    simulator = Simulator(m)
    simulator.add_testbench(evaluate)
    simulator.run()
    return products


def golden_products(matrix: IntMatrix, vectors: np.ndarray, width: int) -> np.ndarray:
    """The same by NumPy."""
    return wrap(vectors @ np.array(matrix, np.int64).T, width)


def random_vectors(rng: np.random.Generator, columns: int) -> np.ndarray:
    vectors = rng.integers(-128, 128, (VECTORS, columns))
    return np.concatenate([vectors, np.full((1, columns), -128), np.full((1, columns), 127)])


@pytest.mark.parametrize("width", [12, 32])
@pytest.mark.parametrize("name", ["bt", "g", "at"])
@pytest.mark.parametrize("m", [2, 3, 4, 6])
def test_the_transforms_matrices(rng: np.random.Generator, m: int, name: str, width: int) -> None:
    matrix = getattr(WinogradTransform(m), name)
    vectors = random_vectors(rng, len(matrix[0]))
    np.testing.assert_array_equal(rtl_products(matrix, vectors, width), golden_products(matrix, vectors, width))


@pytest.mark.parametrize("matrix", [
    ((1, 2, 3), (1, -2, 3)),
    ((1, 2), (1, -2)),
    ((0, 5, 0), (7, 0, -7), (0, -5, 0)),
    ((3, 1, 2), (-3, -1, -2), (3, 1, 2)),
    ((2, 4, 8), (2, -4, 8), (-2, 4, 8), (2, 4, -8)),
    ((-1, -1, -1),),
], ids=str)
def test_rows_that_mirror_each_other(rng: np.random.Generator, matrix: IntMatrix) -> None:
    vectors = random_vectors(rng, len(matrix[0]))
    np.testing.assert_array_equal(rtl_products(matrix, vectors, 20), golden_products(matrix, vectors, 20))


def test_random_matrices(rng: np.random.Generator) -> None:
    for _ in range(8):
        rows, columns = rng.integers(1, 5, 2)
        matrix = rng.integers(-40, 41, (rows, columns))
        matrix[:, 0] |= 1  # no row of zeros
        whole = tuple(tuple(int(entry) for entry in row) for row in matrix)
        vectors = random_vectors(rng, columns)
        np.testing.assert_array_equal(rtl_products(whole, vectors, 24), golden_products(whole, vectors, 24))


def test_zeros_make_no_circuit() -> None:
    value = Signal(signed(VALUE_BITS))
    assert times(value, 0) is None
    assert weighted_sum([value, value], [0, 0]) is None
