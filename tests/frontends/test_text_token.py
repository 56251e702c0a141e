from __future__ import annotations

import pytest

from cortado.errors import ModelFileError
from cortado.frontends.text_token import TokenKind, shortened, tokens


def words(text):
    return [(token.kind.name, token.text) for token in tokens(text, "f")]


@pytest.mark.parametrize(("text", "kind"), [
    ("0", "INTEGER"), ("42", "INTEGER"), ("0x1F", "INTEGER"), ("0X1f", "INTEGER"), ("017", "INTEGER"),
    ("1.5", "FLOAT"), ("1.", "FLOAT"), (".5", "FLOAT"), ("1e5", "FLOAT"), ("1E-5", "FLOAT"), ("2.5e+3f", "FLOAT"),
    ("1f", "FLOAT"), ("0F", "FLOAT"), ("09.5", "FLOAT"),
    ("name", "IDENTIFIER"), ("_a1", "IDENTIFIER"), ("inf", "IDENTIFIER"),
    ('"a b"', "STRING"), ("'a\"b'", "STRING"), (r'"a\"b"', "STRING"), ('""', "STRING"),
    *((symbol, "SYMBOL") for symbol in "{}<>[]:;,-"),
])
def test_kinds(text, kind):
    assert words(text) == [(kind, text), ("END", "")]


def test_a_line_of_a_network():
    assert words("pad:1 # both sides\nlr: -.5") == [
        ("IDENTIFIER", "pad"), ("SYMBOL", ":"), ("INTEGER", "1"), ("IDENTIFIER", "lr"), ("SYMBOL", ":"),
        ("SYMBOL", "-"), ("FLOAT", ".5"), ("END", "")]


def test_places():
    text = "a\n  b # comment\n\n\tc 'äö' d"
    places = [(str(token.position), token.text) for token in tokens(text, "net.prototxt")]
    assert places == [("net.prototxt:1:1", "a"), ("net.prototxt:2:3", "b"), ("net.prototxt:4:2", "c"),
                      ("net.prototxt:4:4", "'äö'"), ("net.prototxt:4:9", "d"), ("net.prototxt:4:10", "")]


@pytest.mark.parametrize(("text", "message"), [
    ("a: $", "f:1:4: unexpected character '$'"),
    ("a\n\x00", "f:2:1: unexpected character '\\x00'"),
    ('a: "open\n"', "f:1:4: a string must end with \" on the line it starts on"),
    ("a: 'open\\", "f:1:4: a string must end with ' on the line it starts on"),
    ("a: 12abc", "f:1:4: '12abc' must be a number or a name, it is neither"),
    ("a: 1.2.3", "f:1:4: '1.2.3' must be a number or a name, it is neither"),
    ("a: 089", "f:1:4: '089' must be a number or a name, it is neither"),
    ("a: 0x", "f:1:4: '0x' must be a number or a name, it is neither"),
])
def test_what_starts_no_token(text, message):
    with pytest.raises(ModelFileError) as caught:
        list(tokens(text, "f"))
    assert str(caught.value) == message


def test_the_end_is_a_kind_of_its_own():
    assert [token.kind for token in tokens("", "f")] == [TokenKind.END]


def test_shortened_for_a_message():
    assert shortened("x" * 40) == "x" * 40
    assert shortened("x" * 41) == "x" * 37 + "..."
    assert shortened("a\nb") == "a?b"
