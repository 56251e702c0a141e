from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import pytest

from cortado.errors import FieldError, ModelFileError
from cortado.frontends.binding import bind
from cortado.frontends.textformat import Message, parse_text


class Mode(Enum):
    SLOW = 0
    FAST = 5


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: tuple[int, ...] = ()

    def __post_init__(self):
        for index, size in enumerate(self.size):
            if size < 1:
                raise FieldError("size", f"must be at least 1, not {size}", index=index)


@dataclass(frozen=True, kw_only=True)
class Outer:
    needed: int
    ratio: float = 0.5
    flag: bool = False
    label: str = ""
    mode: Mode = Mode.SLOW
    maybe: int | None = None
    inner: Inner = field(default_factory=Inner)
    many: tuple[Inner, ...] = ()
    raw: tuple[Message, ...] = ()

    def __post_init__(self):
        if self.needed == 13:
            raise FieldError("ratio", "must be given with 13")


def outer(text):
    return bind(parse_text(text, "f"), Outer, "thing 'x'")


def test_every_kind_of_field():
    bound = outer("needed: 3 ratio: 2 flag: true label: 'l' mode: FAST maybe: -1 inner { size: 1 size: 2 } "
                  "many { size: [3] } many {} raw { anything: 1 }")
    assert (bound.needed, bound.ratio, bound.flag, bound.label, bound.mode, bound.maybe) == (
        3, 2.0, True, "l", Mode.FAST, -1)
    assert bound.inner == Inner(size=(1, 2))
    assert bound.many == (Inner(size=(3,)), Inner())
    assert bound.raw[0].fields[0].name == "anything"
    assert isinstance(bound.ratio, float)


def test_absent_fields_have_their_defaults():
    assert outer("needed: 1") == Outer(needed=1)


@pytest.mark.parametrize(("text", "value"), [
    ("true", True), ("True", True), ("t", True), ("1", True), ("false", False), ("False", False), ("f", False),
    ("0", False),
])
def test_booleans(text, value):
    assert outer(f"needed: 1 flag: {text}").flag is value


def test_enum_by_number():
    assert outer("needed: 1 mode: 5").mode is Mode.FAST


KNOWN = "(known: flag, inner, label, many, maybe, mode, needed, ratio, raw)"


@pytest.mark.parametrize(("text", "message"), [
    ("neded: 1", f"f:1:1: thing 'x': unknown field 'neded'; did you mean 'needed'? {KNOWN}"),
    ("qqqqqq: 1", f"f:1:1: thing 'x': unknown field 'qqqqqq' {KNOWN}"),
    ("ratio: 1", "f:1:1: thing 'x': field 'needed' must be given"),
    ("needed: 1 needed: 2", "f:1:11: thing 'x': field 'needed' must be given once"),
    ("needed: 1.5", "f:1:9: thing 'x': field 'needed' must be a whole number of 64 bits, not 1.5"),
    ("needed: 'a'", "f:1:9: thing 'x': field 'needed' must be a whole number of 64 bits, not \"a\""),
    ("needed: 9223372036854775808",
     "f:1:9: thing 'x': field 'needed' must be a whole number of 64 bits, not 9223372036854775808"),
    ("needed { }", "f:1:8: thing 'x': field 'needed' must be a whole number of 64 bits, not a message"),
    ("needed: 1 ratio: x", "f:1:18: thing 'x': field 'ratio' must be a finite number, not x"),
    ("needed: 1 ratio: -inf", "f:1:18: thing 'x': field 'ratio' must be a finite number, not -inf"),
    ("needed: 1 ratio: nan", "f:1:18: thing 'x': field 'ratio' must be a finite number, not nan"),
    ("needed: 1 ratio: 1e999", "f:1:18: thing 'x': field 'ratio' must be a finite number, not inf"),
    ("needed: 1 flag: 2", "f:1:17: thing 'x': field 'flag' must be true or false, not 2"),
    ("needed: 1 flag: yes", "f:1:17: thing 'x': field 'flag' must be true or false, not yes"),
    ("needed: 1 label: l", "f:1:18: thing 'x': field 'label' must be a quoted string, not l"),
    ("needed: 1 mode: BRISK", "f:1:17: thing 'x': field 'mode' must be one of SLOW, FAST, not BRISK"),
    ("needed: 1 mode: 1", "f:1:17: thing 'x': field 'mode' must be one of SLOW, FAST, not 1"),
    ("needed: 1 mode: 'FAST'", "f:1:17: thing 'x': field 'mode' must be one of SLOW, FAST, not \"FAST\""),
    ("needed: 1 inner: 3", "f:1:18: thing 'x': field 'inner' must be a message { ... }, not 3"),
    ("needed: 1 raw: 3", "f:1:16: thing 'x': field 'raw' must be a message { ... }, not 3"),
    ("needed: 1 inner { sise: 1 }",
     "f:1:19: thing 'x'.inner: unknown field 'sise'; did you mean 'size'? (known: size)"),
    ("needed: 1 inner { size: 1 size: 0 }", "f:1:27: thing 'x'.inner: size must be at least 1, not 0"),
    ("needed: 1 inner {\n size: [4, -2] }", "f:2:2: thing 'x'.inner: size must be at least 1, not -2"),
    ("needed: 13", "f:1:1: thing 'x': ratio must be given with 13"),
])
def test_errors(text, message):
    with pytest.raises(ModelFileError) as caught:
        outer(text)
    assert str(caught.value) == message


def test_fields_the_caller_took_out_are_listed():
    with pytest.raises(ModelFileError) as caught:
        bind(parse_text("sise: 1", "f"), Inner, "thing", also_known=["conv_param"])
    assert str(caught.value) == "f:1:1: thing: unknown field 'sise'; did you mean 'size'? (known: conv_param, size)"
