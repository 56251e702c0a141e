"""How many bits each stage of the exact Winograd algorithm needs: derived, so that nobody keeps a width by hand.

A stage that must not overflow gets the exact worst case over all its inputs. The accumulators and the inverse
transform may overflow: they are computed modulo 2**accumulator_bits, where sums and products depend only on their
operands modulo the same power, so only the quotient at the end has to fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cortado.errors import ConfigurationError
from cortado.numerics.fixed_point import LARGEST_WIDTH
from cortado.numerics.interval import Interval
from cortado.winograd.transform import IntMatrix, WinogradTransform

SMALLEST_OPERAND_BITS, LARGEST_OPERAND_BITS = 2, 16


@dataclass(frozen=True)
class WinogradWidths:
    """Widths, in bits of two's complement, of every stage of `transform`.

    `data_bits` and `weight_bits` are the widths of the layer's numbers, each using its whole range (-128 .. 127 for
    8); `largest_taps` is the largest number of products in one output, input channels x kernel height x kernel
    width, of any layer that is to run.

    Raises `ConfigurationError` for operands outside 2 .. 16 bits, for `largest_taps` below one r x r filter, and when
    the accumulator would pass 64 bits.
    """

    transform: WinogradTransform
    data_bits: int = 8
    weight_bits: int = 8
    largest_taps: int = 512 * 9

    def __post_init__(self) -> None:
        for name, bits in (("data_bits", self.data_bits), ("weight_bits", self.weight_bits)):
            if not SMALLEST_OPERAND_BITS <= bits <= LARGEST_OPERAND_BITS:
                raise ConfigurationError(f"{self.transform}: {name} must be {SMALLEST_OPERAND_BITS} to "
                                         f"{LARGEST_OPERAND_BITS}, not {bits}")
        if self.largest_taps < self.transform.r**2:
            raise ConfigurationError(f"{self.transform}: largest_taps must be at least {self.transform.r**2}, "
                                     f"the taps of one input channel, not {self.largest_taps}")
        if self.accumulator_bits > LARGEST_WIDTH:
            raise ConfigurationError(f"{self.transform}: the accumulator must be at most {LARGEST_WIDTH} bits, "
                                     f"not {self.accumulator_bits}; lower data_bits, weight_bits or largest_taps")

    @property
    def data(self) -> Interval:
        """What one activation can be."""
        return Interval.signed(self.data_bits)

    @property
    def weight(self) -> Interval:
        """What one weight can be."""
        return Interval.signed(self.weight_bits)

    @cached_property
    def v_row_bits(self) -> int:
        """Entries of bt d: the input tile after the transform of its columns only."""
        return Interval.hull(Interval.weighted_sum(row, self.data) for row in self.transform.bt).bits

    @cached_property
    def u_row_bits(self) -> int:
        """Entries of g w: the filter after the transform of its columns only."""
        return Interval.hull(Interval.weighted_sum(row, self.weight) for row in self.transform.g).bits

    @cached_property
    def v_bits(self) -> int:
        """Entries of V = bt d bt^T."""
        return Interval.hull(_tile_ranges(self.transform.bt, self.data)).bits

    @cached_property
    def u_bits(self) -> int:
        """Entries of U = g w g^T."""
        return Interval.hull(_tile_ranges(self.transform.g, self.weight)).bits

    @cached_property
    def product_bits(self) -> int:
        """One product of U and V; less than `u_bits + v_bits`, since no position has the widest of both."""
        inputs = _tile_ranges(self.transform.bt, self.data)
        weights = _tile_ranges(self.transform.g, self.weight)
        return Interval.hull(v * u for v, u in zip(inputs, weights, strict=True)).bits

    @property
    def y_bits(self) -> int:
        """One exact result of the convolution, before the bias."""
        return (self.data * self.weight * self.largest_taps).bits

    @property
    def accumulator_bits(self) -> int:
        """The modulus of the accumulators and of the inverse transform: after the division by 2**v2, y_bits remain."""
        return self.y_bits + self.transform.v2


def _tile_ranges(matrix: IntMatrix, operand: Interval) -> list[Interval]:
    """The range of each entry of `matrix x matrix^T`, row by row, when every entry of x is in `operand`.

    Entry (i, j) is the sum of matrix[i][a] * matrix[j][b] * x[a][b]: each entry of x occurs once, so this is exact.
    """
    return [
        Interval.weighted_sum((left * right for left in vertical for right in horizontal), operand)
        for vertical in matrix
        for horizontal in matrix
    ]
