"""Rounding a product to int8, as `numerics.requantize` defines it."""

from __future__ import annotations

from amaranth.hdl import Const, Mux, Value


def below_half(shift: Value) -> Value:
    """Just below one half of the bit that stays: 2**(shift - 1) - 1, or 0 for shift 0.

    Added to a number together with that bit, it carries exactly where half to even rounds up.
    """
    return Mux(shift == 0, 0, ((Const(1, 1) << shift) >> 1) - 1)[: 2 ** len(shift) - 1]


def shifted_half_to_even(number: Value, half: Value, shift: Value) -> Value:
    """`number / 2**shift` rounded half to even; `half` is `below_half(shift)`, from the cycle before at best."""
    return (number + half + (number.bit_select(shift, 1) & (shift != 0))) >> shift


def saturated(number: Value) -> Value:
    """A signed number clipped to int8: 8 bits."""
    return Mux(number > 127, 127, Mux(number < -128, -128, number[:8].as_signed()))
