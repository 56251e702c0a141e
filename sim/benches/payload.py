"""Payloads of streams as plain Python values: whole numbers, lists and dictionaries."""

from __future__ import annotations

import random
from collections.abc import Iterable

from amaranth.hdl import Shape
from amaranth.lib import data

Plain = int | list | dict
"""A field of a payload: a whole number, a list for an array, a dictionary for a structure."""


def pack(shape: object, value: Plain) -> int:
    """The bits of `value`, which has the form of `shape`; an assertion fails where a number does not fit its field."""
    if isinstance(shape, data.StructLayout):
        assert value.keys() == shape.members.keys(), f"{value} must have the fields of {shape}"
        return sum(pack(member, value[name]) << shape[name].offset for name, member in shape.members.items())
    if isinstance(shape, data.ArrayLayout):
        assert len(value) == shape.length, f"there must be {shape.length} elements, not {len(value)}"
        width = Shape.cast(shape.elem_shape).width
        return sum(pack(shape.elem_shape, element) << index * width for index, element in enumerate(value))
    plain, number = Shape.cast(shape), int(value)
    assert number == signed(number, plain.width) if plain.signed else 0 <= number < 1 << plain.width, (
        f"{number} does not fit {plain}")
    return number & (1 << plain.width) - 1


def unpack(shape: object, bits: int) -> Plain:
    """The value whose bits are `bits`: what `pack` was given."""
    if isinstance(shape, data.StructLayout):
        return {name: unpack(member, bits >> shape[name].offset) for name, member in shape.members.items()}
    if isinstance(shape, data.ArrayLayout):
        width = Shape.cast(shape.elem_shape).width
        return [unpack(shape.elem_shape, bits >> index * width) for index in range(shape.length)]
    plain = Shape.cast(shape)
    return signed(bits, plain.width) if plain.signed else bits & (1 << plain.width) - 1


def junk(shape: object, rng: random.Random) -> int:
    """Random bits, as wide as `shape`."""
    return rng.getrandbits(Shape.cast(shape).width)


def signed(number: int, bits: int) -> int:
    """The low `bits` of a number read as two's complement."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> bits - 1 else number


def in_beats(values: Iterable[int], beat_bytes: int) -> list[int]:
    """Bytes as whole beats, the first byte in the low bits; the last beat is filled up with zeros."""
    content = bytes(value & 255 for value in values)
    return [int.from_bytes(content[first:first + beat_bytes], "little") for first in range(0, len(content), beat_bytes)]
