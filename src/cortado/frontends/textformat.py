"""Protobuf's text format: characters -> a tree of fields that know their place in the file. Knows no schema.

Source: the Text Format Language Specification of protobuf. Extension names and Any (`[package.name] { ... }`) are
refused: no network file has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from cortado.frontends.text_token import Token, TokenKind, error_at, tokens
from cortado.graph.spec import Position

# Protobuf's own limit.
DEEPEST_NESTING = 100

# 64-bit integers have 20 digits, doubles 17; Python refuses to convert thousands of digits.
LONGEST_NUMBER = 400


class ScalarKind(Enum):
    """How a value is written; the value is how errors call it."""

    STRING = "a string"
    NAME = "a name"
    INTEGER = "a whole number"
    FLOAT = "a number"


@dataclass(frozen=True)
class Scalar:
    """One value: `value` is str for STRING and NAME, int for INTEGER, float for FLOAT."""

    kind: ScalarKind
    value: str | int | float
    position: Position


@dataclass(frozen=True)
class Message:
    """Fields in the order of the file, names repeated as often as they stand there."""

    fields: tuple[Field, ...]
    position: Position

    def named(self, name: str) -> tuple[Field, ...]:
        """The fields of one name."""
        return tuple(field for field in self.fields if field.name == name)


@dataclass(frozen=True)
class Field:
    """A name and one value; `name: [a, b]` is two fields."""

    name: str
    value: Scalar | Message
    position: Position


def parse_text(text: str, file: str) -> Message:
    """The tree of a whole file; raises `ModelFileError` with line and column (1-based, in characters)."""
    return _Parser(text, file).whole_file()


class _Parser:
    """Recursive descent with one token of look-ahead."""

    def __init__(self, text: str, file: str) -> None:
        self._tokens = tokens(text, file)
        self._token = next(self._tokens)
        self._depth = 0

    def whole_file(self) -> Message:
        start = self._token.position
        fields = self._fields()
        if self._token.kind is not TokenKind.END:
            raise error_at(self._token.position, f"expected a field name, not {self._token}")
        return Message(fields, start)

    def _advance(self) -> Token:
        token = self._token
        if token.kind is not TokenKind.END:
            self._token = next(self._tokens)
        return token

    def _at(self, *symbols: str) -> bool:
        return self._token.kind is TokenKind.SYMBOL and self._token.text in symbols

    def _fields(self) -> tuple[Field, ...]:
        fields: list[Field] = []
        while self._token.kind is TokenKind.IDENTIFIER:
            fields += self._field()
            if self._at(",", ";"):
                self._advance()
        if self._at("["):
            raise error_at(self._token.position, "expected a field name, not '[': extension fields are not supported")
        return tuple(fields)

    def _field(self) -> list[Field]:
        name = self._advance()
        colon = self._at(":")
        if colon:
            self._advance()
        if self._at("["):
            values = self._list(name, colon)
        elif self._at("{", "<"):
            values = [self._message()]
        elif colon:
            values = [self._scalar(name)]
        else:
            raise error_at(self._token.position,
                           f"field '{name.text}' must be followed by ':' or '{{', not {self._token}")
        return [Field(name.text, value, name.position) for value in values]

    def _list(self, name: Token, colon: bool) -> list[Scalar | Message]:
        opening = self._advance()
        values: list[Scalar | Message] = []
        while not self._at("]"):
            if values:
                if not self._at(","):
                    raise self._unclosed(opening, "',' or ']'")
                self._advance()
            if self._at("{", "<"):
                values.append(self._message())
            elif colon:
                values.append(self._scalar(name))
            else:
                raise error_at(self._token.position, f"field '{name.text}' must have ':' before a list of values")
        self._advance()
        return values

    def _message(self) -> Message:
        opening = self._advance()
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            raise error_at(opening.position, f"messages must nest at most {DEEPEST_NESTING} deep")
        fields = self._fields()
        closing = "}" if opening.text == "{" else ">"
        if not self._at(closing):
            raise self._unclosed(opening, f"a field name or '{closing}'")
        self._advance()
        self._depth -= 1
        return Message(fields, opening.position)

    def _unclosed(self, opening: Token, expected: str) -> Exception:
        hint = ""
        if self._token.kind is TokenKind.END:
            hint = f": '{opening.text}' of line {opening.position.line}, column {opening.position.column} is not closed"
        return error_at(self._token.position, f"expected {expected}, not {self._token}{hint}")

    def _scalar(self, name: Token) -> Scalar:
        token = self._token
        match token.kind:
            case TokenKind.STRING:
                return self._string()
            case TokenKind.IDENTIFIER:
                return Scalar(ScalarKind.NAME, self._advance().text, token.position)
            case TokenKind.INTEGER | TokenKind.FLOAT:
                return _number(self._advance(), token.position, sign=1)
        if self._at("-"):
            self._advance()
            if self._token.kind in (TokenKind.INTEGER, TokenKind.FLOAT):
                return _number(self._advance(), token.position, sign=-1)
            if self._token.text.lower() in ("inf", "infinity", "nan"):
                return Scalar(ScalarKind.FLOAT, -float(self._advance().text), token.position)
            raise error_at(self._token.position, f"field '{name.text}': expected a number after '-', not {self._token}")
        raise error_at(token.position, f"field '{name.text}': expected a value, not {token}")

    def _string(self) -> Scalar:
        position = self._token.position
        content = b""
        while self._token.kind is TokenKind.STRING:
            content += _unescaped(self._advance())
        try:
            return Scalar(ScalarKind.STRING, content.decode(), position)
        except UnicodeDecodeError:
            raise error_at(position, "the bytes a string's escapes stand for must be UTF-8") from None


def _number(token: Token, position: Position, *, sign: int) -> Scalar:
    text = token.text.lower()
    if len(text) > LONGEST_NUMBER:
        raise error_at(position, f"a number must have at most {LONGEST_NUMBER} characters, not {len(text)}")
    if token.kind is TokenKind.FLOAT:
        return Scalar(ScalarKind.FLOAT, sign * float(text.rstrip("f")), position)
    octal = len(text) > 1 and text.startswith("0") and not text.startswith("0x")
    return Scalar(ScalarKind.INTEGER, sign * int(text, 8 if octal else 0), position)


_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"?])|([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|.)")
_LETTERS = dict(zip("abfnrtv\\'\"?", b"\a\b\f\n\r\t\v\\'\"?", strict=True))


def _unescaped(token: Token) -> bytes:
    """The bytes a quoted string stands for."""
    body = token.text[1:-1]
    content, done = b"", 0
    for match in _ESCAPE.finditer(body):
        content += body[done:match.start()].encode("utf-8", "surrogatepass")
        content += _escaped_bytes(token, match)
        done = match.end()
    return content + body[done:].encode("utf-8", "surrogatepass")


def _escaped_bytes(token: Token, match: re.Match[str]) -> bytes:
    letter, octal, hexadecimal, *code_points = match.groups()
    if letter is not None:
        return bytes([_LETTERS[letter]])
    byte = int(octal, 8) if octal is not None else int(hexadecimal, 16) if hexadecimal is not None else None
    if byte is not None and byte < 256:
        return bytes([byte])
    code_point = next((int(digits, 16) for digits in code_points if digits is not None), None)
    if code_point is not None and code_point <= 0x10FFFF and not 0xD800 <= code_point < 0xE000:
        return chr(code_point).encode()
    # A string lies on one line, so columns can be counted.
    place = Position(token.position.file, token.position.line, token.position.column + 1 + match.start())
    raise error_at(place, f"'{match[0]}' must be an escape of the text format, such as \\n, \\\\ or \\x41")
