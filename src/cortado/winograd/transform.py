"""F(m x m, r x r) over whole numbers: the matrices of Winograd's minimal filtering, derived by Cook-Toom.

Sources: Lavin & Gray 2015, "Fast Algorithms for Convolutional Neural Networks", section 4; Blahut 2010, "Fast
Algorithms for Signal Processing", chapter 5 (Cook-Toom; the transposition principle turns a product of polynomials
into a filter).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm, prod

from cortado.errors import ConfigurationError

IntMatrix = tuple[tuple[int, ...], ...]
RationalMatrix = tuple[tuple[Fraction, ...], ...]

# Lavin's order; infinity follows the last one used.
POINTS = tuple(Fraction(point) for point in ("0", "1", "-1", "2", "-2", "1/2", "-1/2"))
LARGEST_ALPHA = len(POINTS) + 1


@dataclass(frozen=True)
class WinogradTransform:
    """m outputs of an r-tap filter from alpha = m + r - 1 inputs with alpha products, in each of two dimensions.

    With a tile d of shape (alpha, alpha), a filter g of shape (r, r) and conv(d, g) their (m, m) correlation (which
    neural networks call convolution), over the whole numbers:

        at ((g_matrix g g_matrix^T) . (bt d bt^T)) at^T = scale * conv(d, g)

    where `.` is the element-wise product and g_matrix the field `g`. Each row of `bt` and of `g` is scaled by the
    positive factor that makes it whole and free of a common divisor; `at` and `scale` absorb these factors, so both
    operands of the products stay as narrow as they can be.

    Raises `ConfigurationError` for m or r below 2 and for m + r - 1 above 8.
    """

    m: int
    r: int = 3

    def __post_init__(self) -> None:
        if self.m < 2 or self.r < 2 or self.alpha > LARGEST_ALPHA:
            raise ConfigurationError(f"{self}: m and r must be at least 2 and m + r - 1 at most {LARGEST_ALPHA}, "
                                     f"not m = {self.m}, r = {self.r}")

    def __str__(self) -> str:
        return f"F({self.m}x{self.m},{self.r}x{self.r})"

    @property
    def alpha(self) -> int:
        """Side of the input tile and of the transformed tile."""
        return self.m + self.r - 1

    @cached_property
    def bt(self) -> IntMatrix:
        """The input transform B^T, (alpha, alpha)."""
        return tuple(_whole(row) for row in self._input_rows)

    @cached_property
    def g(self) -> IntMatrix:
        """The weight transform G, (alpha, r)."""
        return tuple(_whole(row) for row in self._weight_rows)

    @cached_property
    def at(self) -> IntMatrix:
        """The inverse transform A^T, (m, alpha)."""
        return tuple(tuple(int(entry * self.scale_1d) for entry in row) for row in self._inverse_rows)

    @cached_property
    def scale_1d(self) -> int:
        """What the algorithm in one dimension multiplies its result by: the least factor that makes `at` whole."""
        return lcm(*(entry.denominator for row in self._inverse_rows for entry in row))

    @property
    def scale(self) -> int:
        """What the algorithm in two dimensions multiplies its result by."""
        return self.scale_1d**2

    @property
    def v2(self) -> int:
        """The power of two in the scale: scale = 2**v2 * odd."""
        return (self.scale & -self.scale).bit_length() - 1

    @property
    def odd(self) -> int:
        """The odd part of the scale."""
        return self.scale >> self.v2

    @cached_property
    def published(self) -> tuple[RationalMatrix, RationalMatrix, RationalMatrix]:
        """B^T, G and A^T with a scale of 1, as floating point takes them (Lavin & Gray 2015, equations 7 to 9)."""
        columns = [*(_powers(point, self.m) for point in self._points), _powers_at_infinity(self.m)]
        return self._input_rows, self._weight_rows, tuple(zip(*columns, strict=True))

    @property
    def _points(self) -> tuple[Fraction, ...]:
        """The finite interpolation points; infinity makes them alpha."""
        return POINTS[: self.alpha - 1]

    @cached_property
    def _signs(self) -> tuple[int, ...]:
        """A sign per finite point, shared by its rows of B^T and G, where it cancels.

        Only the row of point 0 needs one, to read [1 0 .. 0] in G as in Lavin & Gray.
        """
        return tuple(-1 if point == 0 and _distances(self._points, index) < 0 else 1
                     for index, point in enumerate(self._points))

    @cached_property
    def _input_rows(self) -> tuple[tuple[Fraction, ...], ...]:
        """B^T as derived: for each point the polynomial that vanishes at all others, lowest power first."""
        finite = [
            tuple(sign * entry for entry in (*_from_roots(self._points[:index] + self._points[index + 1:]), 0))
            for index, sign in enumerate(self._signs)
        ]
        return (*finite, _from_roots(self._points))

    @cached_property
    def _weight_rows(self) -> tuple[tuple[Fraction, ...], ...]:
        """G as derived: the filter as a polynomial, evaluated at each point, over that point's distances."""
        finite = [
            tuple(sign * entry / _distances(self._points, index) for entry in _powers(point, self.r))
            for index, (point, sign) in enumerate(zip(self._points, self._signs, strict=True))
        ]
        return (*finite, _powers_at_infinity(self.r))

    @cached_property
    def _inverse_rows(self) -> tuple[tuple[Fraction, ...], ...]:
        """A^T with a scale of 1: powers of the points, divided by what `bt` and `g` were multiplied by."""
        columns = [*(_powers(point, self.m) for point in self._points), _powers_at_infinity(self.m)]
        factors = [_whole_factor(input_row) * _whole_factor(weight_row)
                   for input_row, weight_row in zip(self._input_rows, self._weight_rows, strict=True)]
        scaled = [[entry / factor for entry in column] for column, factor in zip(columns, factors, strict=True)]
        return tuple(zip(*scaled, strict=True))


def _powers(point: Fraction, count: int) -> tuple[Fraction, ...]:
    return tuple(point**exponent for exponent in range(count))


def _powers_at_infinity(count: int) -> tuple[Fraction, ...]:
    """Evaluation at infinity takes the highest power and nothing else."""
    return (*(Fraction(0),) * (count - 1), Fraction(1))


def _distances(points: Sequence[Fraction], index: int) -> Fraction:
    """Product of the differences between one point and every other."""
    return prod((points[index] - other for position, other in enumerate(points) if position != index),
                start=Fraction(1))


def _from_roots(roots: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Coefficients of the product of (x - root), lowest power first."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *coefficients]
        coefficients = [high - root * low for high, low in zip(shifted, [*coefficients, Fraction(0)], strict=True)]
    return tuple(coefficients)


def _whole_factor(row: Sequence[Fraction]) -> Fraction:
    """The positive factor that makes a row whole numbers without a common divisor."""
    denominator = lcm(*(entry.denominator for entry in row))
    return Fraction(denominator, gcd(*(int(entry * denominator) for entry in row)))


def _whole(row: Sequence[Fraction]) -> tuple[int, ...]:
    factor = _whole_factor(row)
    return tuple(int(entry * factor) for entry in row)
