"""Whole-number matrices as adders: products with constants become shifts and sums, never multipliers."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Signal, Value, signed


def signed_digits(constant: int) -> list[tuple[int, int]]:
    """The non-adjacent form of a constant: (shift, +1 or -1) terms, the fewest there are."""
    terms, shift, rest = [], 0, constant
    while rest:
        if rest & 1:
            digit = 2 - (rest & 3)
            terms.append((shift, digit))
            rest -= digit
        rest >>= 1
        shift += 1
    return terms


def times(value: Value, constant: int) -> Value | None:
    """`value` times a constant as shifts and sums; None for 0."""
    result = None
    # Positive terms first, so that a leading minus costs no negation.
    for shift, digit in sorted(signed_digits(constant), key=lambda term: -term[1]):
        shifted = value.shift_left(shift) if shift else value
        if result is None:
            result = shifted if digit > 0 else -shifted
        else:
            result = result + shifted if digit > 0 else result - shifted
    return result


def weighted_sum(values: Sequence[Value], coefficients: Sequence[int]) -> Value | None:
    """Sum of constant multiples; None where every coefficient is 0."""
    result = None
    # A term with a positive coefficient first, for the same reason as above.
    for value, coefficient in sorted(zip(values, coefficients, strict=True), key=lambda pair: pair[1] <= 0):
        if coefficient == 0:
            continue
        term = times(value, abs(coefficient))
        if result is None:
            result = term if coefficient > 0 else -term
        else:
            result = result + term if coefficient > 0 else result - term
    return result


def matrix_product(m: Module, matrix: Sequence[Sequence[int]], values: Sequence[Value], width: int,
                   name: str) -> list[Value]:
    """`matrix` times the vector `values`, each result wrapped to `width` bits signed.

    Two rows that mirror each other (the points a and -a of the transform) share their even and odd halves: the
    results are the halves' sum and difference, which is where the published algorithms save their additions.
    """
    rows = [tuple(row) for row in matrix]
    results: list[Value | None] = [None] * len(rows)

    def keep(expression: Value, label: str) -> Signal:
        signal = Signal(signed(width), name=f"{name}_{label}")
        m.d.comb += signal.eq(expression)
        return signal

    for index, row in enumerate(rows):
        if results[index] is not None:
            continue
        twin = next((other for other in range(index + 1, len(rows))
                     if results[other] is None and _mirrors(row, rows[other])), None)
        if twin is None:
            results[index] = keep(weighted_sum(values, row), f"r{index}")
            continue
        common = [a if a == b else 0 for a, b in zip(row, rows[twin], strict=True)]
        opposed = [a if a != b else 0 for a, b in zip(row, rows[twin], strict=True)]
        half, other = keep(weighted_sum(values, common), f"c{index}"), keep(weighted_sum(values, opposed), f"d{index}")
        results[index] = keep(half + other, f"r{index}")
        results[twin] = keep(half - other, f"r{twin}")
    return results


def _mirrors(row: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two rows agree in some columns and are opposed in all others, with something to share on both sides."""
    if any(abs(a) != abs(b) for a, b in zip(row, other, strict=True)):
        return False
    common = sum(a == b != 0 for a, b in zip(row, other, strict=True))
    opposed = sum(a != b for a, b in zip(row, other, strict=True))
    return common > 0 and opposed > 0 and common + opposed > 2
