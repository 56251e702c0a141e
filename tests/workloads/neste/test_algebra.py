"""The three algebras against their rules and the formulas of the authors' models, written out."""

from __future__ import annotations

import pytest
import torch

from cortado.workloads.neste.algebra import Algebra, normalised

UNITS = torch.eye(4, dtype=torch.float64)
ONE, UNIT_I, UNIT_J, UNIT_K = UNITS

# What each pair of units comes to.
PAIRS = ((UNIT_I, UNIT_I), (UNIT_J, UNIT_J), (UNIT_K, UNIT_K), (UNIT_I, UNIT_J), (UNIT_J, UNIT_I), (UNIT_J, UNIT_K),
         (UNIT_K, UNIT_J), (UNIT_K, UNIT_I), (UNIT_I, UNIT_K))
RULES = {
    Algebra.QUATERNION: (-ONE, -ONE, -ONE, UNIT_K, -UNIT_K, UNIT_I, -UNIT_I, UNIT_J, -UNIT_J),
    Algebra.HYPERBOLIC: (ONE, ONE, ONE, UNIT_K, -UNIT_K, UNIT_I, -UNIT_I, UNIT_J, -UNIT_J),
    Algebra.SPLIT: (-ONE, ONE, ONE, UNIT_K, -UNIT_K, -UNIT_I, UNIT_I, UNIT_J, -UNIT_J),
}


def product(algebra, left, right):
    return algebra.product(left.view(1, 4, 1), right.view(1, 4, 1)).view(4)


@pytest.mark.parametrize("algebra", Algebra)
def test_units_multiply_as_the_algebra_says(algebra):
    for (left, right), expected in zip(PAIRS, RULES[algebra], strict=True):
        assert product(algebra, left, right).tolist() == expected.tolist()
        assert torch.einsum("a,b,abc->c", left, right, algebra.table.double()).tolist() == expected.tolist()
    for unit in UNITS:
        assert product(algebra, ONE, unit).tolist() == product(algebra, unit, ONE).tolist() == unit.tolist()


def written_out(algebra, h, r):
    """A, B, C and D as in `NestE_Q`, `NestE_H` and `NestE_D`."""
    (hs, hx, hy, hz), (rs, rx, ry, rz) = h.unbind(1), r.unbind(1)
    first = {Algebra.QUATERNION: hs * rs - hx * rx - hy * ry - hz * rz,
             Algebra.HYPERBOLIC: hs * rs + hx * rx + hy * ry + hz * rz,
             Algebra.SPLIT: hs * rs - hx * rx + hy * ry + hz * rz}[algebra]
    second = hs * rx + rs * hx + (-1 if algebra is Algebra.SPLIT else 1) * (hy * rz - ry * hz)
    return torch.stack([first, second, hs * ry + rs * hy + hz * rx - rz * hx, hs * rz + rs * hz + hx * ry - rx * hy],
                       1)


@pytest.mark.parametrize("algebra", Algebra)
def test_products_of_many_numbers(algebra, rng):
    left, right = (torch.from_numpy(rng.standard_normal((5, 4, 3))) for _ in range(2))
    torch.testing.assert_close(algebra.product(left, right), written_out(algebra, left, right))


@pytest.mark.parametrize("algebra", Algebra)
def test_the_matrix_read_the_other_way_round_is_the_adjoint(algebra, rng):
    x, right, y = (torch.from_numpy(rng.standard_normal((5, 4, 3))) for _ in range(3))
    adjoint = (algebra.matrix(right) * y[:, :, None]).sum(1)
    torch.testing.assert_close((algebra.product(x, right) * y).sum(), (x * adjoint).sum())


def test_a_normalised_quaternion_keeps_lengths(rng):
    x, right = (torch.from_numpy(rng.standard_normal((5, 4, 3))) for _ in range(2))
    turned = Algebra.QUATERNION.product(x, normalised(right))
    torch.testing.assert_close(turned.square().sum(1), x.square().sum(1))


def test_a_number_of_length_0_stays_a_number():
    assert normalised(torch.zeros(1, 4, 2)).tolist() == torch.zeros(1, 4, 2).tolist()
