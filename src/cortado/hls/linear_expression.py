"""Sums of constant multiples as C++ expressions, for the lines of a transform."""

from __future__ import annotations

from collections.abc import Sequence

from cortado.gateware.linear import signed_digits


def weighted_sum(coefficients: Sequence[int], name: str) -> str:
    """`4 * d[0] - 5 * d[2] + d[4]`: exact, since each product is as wide as it needs to be."""
    return _joined((coefficient < 0, f"{name}[{index}]" if abs(coefficient) == 1
                    else f"{abs(coefficient)} * {name}[{index}]")
                   for index, coefficient in enumerate(coefficients) if coefficient)


def shifted_sum(coefficients: Sequence[int], name: str) -> str:
    """The same by shifts, which stay as wide as their operand: for sums modulo a power of two."""
    terms = []
    for index, coefficient in enumerate(coefficients):
        for shift, digit in reversed(signed_digits(coefficient)):
            term = f"{name}[{index}]" if shift == 0 else f"({name}[{index}] << {shift})"
            terms.append((digit < 0, term))
    return _joined(terms)


def _joined(terms: object) -> str:
    text = ""
    # What is added comes first, so that a leading minus is rare.
    for is_negative, term in sorted(terms, key=lambda entry: entry[0]):
        if text:
            text += f" - {term}" if is_negative else f" + {term}"
        else:
            text = f"-{term}" if is_negative else term
    return text
