"""The whole numbers between two bounds, and how many bits hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cortado.errors import ConfigurationError


@dataclass(frozen=True)
class Interval:
    """All whole numbers from `low` to `high`, both included.

    `+` and `*` give the exact range of a sum and of a product whose operands vary independently, so a range built
    from them is reached at both ends and every width taken from it is tight.

    Raises `ConfigurationError` when `low` is above `high`.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ConfigurationError(f"interval: low must not be above high, not {self.low} .. {self.high}")

    @classmethod
    def signed(cls, bits: int) -> Interval:
        """What a two's complement number of `bits` bits can be."""
        return cls(-(1 << bits - 1), (1 << bits - 1) - 1)

    @classmethod
    def unsigned(cls, bits: int) -> Interval:
        """What an unsigned number of `bits` bits can be."""
        return cls(0, (1 << bits) - 1)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Interval | int) -> Interval:
        factor = Interval(other, other) if isinstance(other, int) else other
        corners = [mine * theirs for mine in (self.low, self.high) for theirs in (factor.low, factor.high)]
        return Interval(min(corners), max(corners))

    @property
    def bits(self) -> int:
        """Width of the smallest two's complement number that can be each of them."""
        return bits_for(self.low, self.high)

    @staticmethod
    def weighted_sum(coefficients: Iterable[int], operand: Interval) -> Interval:
        """Range of the sum of `coefficient * operand` where every term has an operand of its own."""
        return sum((operand * coefficient for coefficient in coefficients), start=Interval(0, 0))

    @staticmethod
    def hull(intervals: Iterable[Interval]) -> Interval:
        """The smallest interval around all of them."""
        parts = tuple(intervals)
        return Interval(min(part.low for part in parts), max(part.high for part in parts))


def bits_for(low: int, high: int) -> int:
    """Width of the smallest two's complement number that can be `low` and `high`; at least 1."""
    # A negative number n needs the bits of -n - 1, because two's complement reaches one further below zero.
    return 1 + max((~bound if bound < 0 else bound).bit_length() for bound in (low, high))
