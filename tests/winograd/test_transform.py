"""Winograd's matrices: against published tables, and exact against nested loops on whole numbers."""

from __future__ import annotations

from fractions import Fraction
from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortado.errors import ConfigurationError
from cortado.winograd.transform import WinogradTransform

EVERY = [(m, r) for m in range(2, 8) for r in range(2, 8) if m + r - 1 <= 8]


def test_f2_is_the_published_one() -> None:
    """Lavin & Gray 2015, equation 9, with G doubled; they write the last row of B^T and column of A^T negated."""
    transform = WinogradTransform(2)
    assert transform.alpha == 4
    assert transform.bt == ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, -1, 0, 1))
    assert transform.g == ((1, 0, 0), (1, 1, 1), (1, -1, 1), (0, 0, 1))
    assert transform.at == ((2, 1, 1, 0), (0, 1, -1, 2))
    assert (transform.scale, transform.v2, transform.odd) == (4, 2, 1)


def test_f4_is_the_published_one() -> None:
    """Lavin & Gray 2015, section 4.3: B^T as printed, rows of G times s = (4, 6, 6, 24, 24, 1), A^T times 24/s."""
    transform = WinogradTransform(4)
    assert transform.alpha == 6
    assert transform.bt == (
        (4, 0, -5, 0, 1, 0),
        (0, -4, -4, 1, 1, 0),
        (0, 4, -4, -1, 1, 0),
        (0, -2, -1, 2, 1, 0),
        (0, 2, -1, -2, 1, 0),
        (0, 4, 0, -5, 0, 1),
    )
    assert transform.g == ((1, 0, 0), (-1, -1, -1), (-1, 1, -1), (1, 2, 4), (1, -2, 4), (0, 0, 1))
    published = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
    assert transform.at == tuple(map(tuple, (published * [6, 4, 4, 1, 1, 24]).tolist()))
    assert (transform.scale, transform.v2, transform.odd) == (576, 6, 9)


def test_f6_has_the_scale_of_the_design() -> None:
    transform = WinogradTransform(6)
    assert transform.alpha == 8
    assert transform.bt[0] == (4, 0, -21, 0, 21, 0, -4, 0)
    assert transform.g[5:7] == ((4, 2, 1), (4, -2, 1))
    assert transform.scale_1d == 360
    assert (transform.scale, transform.v2, transform.odd) == (129600, 6, 2025)


@pytest.mark.parametrize(("m", "r"), EVERY)
def test_matrices_are_whole_and_as_narrow_as_can_be(m: int, r: int) -> None:
    transform = WinogradTransform(m, r)
    alpha = m + r - 1
    for matrix, shape in ((transform.bt, (alpha, alpha)), (transform.g, (alpha, r)), (transform.at, (m, alpha))):
        assert np.shape(matrix) == shape
        assert all(type(entry) is int for row in matrix for entry in row)
    assert all(gcd(*row) == 1 for row in transform.bt)
    assert all(gcd(*row) == 1 for row in transform.g)
    assert gcd(transform.scale_1d, *(entry for row in transform.at for entry in row)) == 1
    assert transform.scale == transform.scale_1d**2 == transform.odd * 2**transform.v2
    assert transform.odd % 2 == 1


@pytest.mark.parametrize(("m", "r"), EVERY)
def test_one_dimension_is_exact_for_every_input(m: int, r: int) -> None:
    """Bilinear, so it holds for all numbers when it holds for every pair of unit vectors."""
    transform = WinogradTransform(m, r)
    for position in range(transform.alpha):
        for tap in range(r):
            domain = [bt_row[position] * g_row[tap] for bt_row, g_row in zip(transform.bt, transform.g, strict=True)]
            result = [sum(a * entry for a, entry in zip(row, domain, strict=True)) for row in transform.at]
            # Output i reads input i + tap.
            assert result == [transform.scale_1d * (i + tap == position) for i in range(m)]


@settings(deadline=None)
@given(st.data())
@pytest.mark.parametrize("m", [2, 4, 6])
def test_two_dimensions_are_exact(m: int, data: st.DataObject) -> None:
    transform = WinogradTransform(m)
    alpha = transform.alpha
    entries = st.one_of(st.integers(-128, 127), st.sampled_from([-128, 127]))
    d = np.array(data.draw(st.lists(entries, min_size=alpha**2, max_size=alpha**2)), object).reshape(alpha, alpha)
    g = np.array(data.draw(st.lists(entries, min_size=9, max_size=9)), object).reshape(3, 3)
    # dtype object: Python's whole numbers, which never overflow
    at, g_matrix, bt = (np.array(matrix, object) for matrix in (transform.at, transform.g, transform.bt))
    result = at @ ((g_matrix @ g @ g_matrix.T) * (bt @ d @ bt.T)) @ at.T
    for y, x in np.ndindex(m, m):
        expected = sum(d[y + r, x + s] * g[r, s] for r, s in np.ndindex(3, 3))
        assert Fraction(result[y, x], transform.scale) == expected


def test_transforms_are_values() -> None:
    assert WinogradTransform(4) == WinogradTransform(4, 3)
    assert hash(WinogradTransform(4)) == hash(WinogradTransform(4, 3))
    assert str(WinogradTransform(4)) == "F(4x4,3x3)"


@pytest.mark.parametrize(("m", "r"), [(1, 3), (2, 1), (7, 3), (4, 6), (0, 3)])
def test_transforms_beyond_the_points_are_refused(m: int, r: int) -> None:
    message = (rf"^F\({m}x{m},{r}x{r}\): m and r must be at least 2 and m \+ r - 1 at most 8, "
               rf"not m = {m}, r = {r}$")
    with pytest.raises(ConfigurationError, match=message):
        WinogradTransform(m, r)
