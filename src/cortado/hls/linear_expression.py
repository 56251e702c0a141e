"""Sums of constant multiples as C++ expressions, for the lines of a transform."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from cortado.gateware.linear import signed_digits


def shifted_sum(coefficients: Sequence[int], name: str) -> str:
    """`(x[0] << 2) + x[4] - (x[2] << 2) - x[2]`: a shift is as wide as its operand, so all is modulo its width."""
    terms = []
    for index, coefficient in enumerate(coefficients):
        for shift, digit in reversed(signed_digits(coefficient)):
            term = f"{name}[{index}]" if shift == 0 else f"({name}[{index}] << {shift})"
            terms.append((digit < 0, term))
    return _joined(terms)


def float_sum(coefficients: Sequence[Fraction], name: str) -> str:
    """`0.25f * x[0] - x[2]`: each constant is the float nearest to its fraction."""
    terms = []
    for index, coefficient in enumerate(coefficients):
        if coefficient:
            constant = "" if abs(coefficient) == 1 else f"{float_literal(abs(coefficient))} * "
            terms.append((coefficient < 0, f"{constant}{name}[{index}]"))
    return _joined(terms)


def float_literal(value: Fraction | float) -> str:
    """The shortest decimal that names the float nearest to a number."""
    text = str(np.float32(float(value)))
    return f"{text}f"


def _joined(terms: object) -> str:
    text = ""
    # What is added comes first, so that a leading minus is rare.
    for is_negative, term in sorted(terms, key=lambda entry: entry[0]):
        if text:
            text += f" - {term}" if is_negative else f" + {term}"
        else:
            text = f"-{term}" if is_negative else term
    return text
