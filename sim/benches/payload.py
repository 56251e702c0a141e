"""Payloads of streams as plain Python values: whole numbers, lists and dictionaries."""

from __future__ import annotations

import random

from amaranth.hdl import Shape
from amaranth.lib import data

Plain = int | list | dict
"""A field of a payload: a whole number, a list for an array, a dictionary for a structure."""


def pack(shape: object, value: Plain) -> int:
    """The bits of `value`, which has the form of `shape`; an assertion fails where a number does not fit its field."""
    if isinstance(shape, data.StructLayout):
        assert isinstance(value, dict) and value.keys() == shape.members.keys(), f"{value} has not the fields of {shape}"
        return sum(pack(member, value[name]) << shape[name].offset for name, member in shape.members.items())
    if isinstance(shape, data.ArrayLayout):
        assert len(value) == shape.length, f"{len(value)} elements instead of {shape.length}"
        width = Shape.cast(shape.elem_shape).width
        return sum(pack(shape.elem_shape, element) << index * width for index, element in enumerate(value))
    plain = Shape.cast(shape)
    number = int(value)
    low, high = (-(1 << plain.width - 1), 1 << plain.width - 1) if plain.signed else (0, 1 << plain.width)
    assert low <= number < high or number == plain.width == 0, f"{number} does not fit {plain}"
    return number & (1 << plain.width) - 1


def unpack(shape: object, bits: int) -> Plain:
    """The value whose bits are `bits`: what `pack` was given."""
    if isinstance(shape, data.StructLayout):
        return {name: unpack(member, bits >> shape[name].offset) for name, member in shape.members.items()}
    if isinstance(shape, data.ArrayLayout):
        width = Shape.cast(shape.elem_shape).width
        return [unpack(shape.elem_shape, bits >> index * width) for index in range(shape.length)]
    plain = Shape.cast(shape)
    number = bits & (1 << plain.width) - 1
    return number - (1 << plain.width) if plain.signed and number >> plain.width - 1 else number


def junk(shape: object, rng: random.Random) -> int:
    """Random bits, as wide as `shape`."""
    return rng.getrandbits(max(1, Shape.cast(shape).width)) & (1 << Shape.cast(shape).width) - 1
