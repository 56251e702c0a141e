"""The words of protobuf's text format, each with its place in the file.

Source: the Text Format Language Specification of protobuf, "Lexical Elements".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from cortado.errors import ModelFileError
from cortado.graph.spec import Position


class TokenKind(Enum):
    """What a token is; the value is how errors call it."""

    IDENTIFIER = "a name"
    STRING = "a string"
    INTEGER = "a whole number"
    FLOAT = "a number"
    SYMBOL = "a symbol"
    END = "the end of the file"


@dataclass(frozen=True)
class Token:
    """One word of the file; `text` is as written."""

    kind: TokenKind
    text: str
    position: Position

    def __str__(self) -> str:
        return self.kind.value if self.kind is TokenKind.END else f"'{shortened(self.text)}'"


# Order matters: a float begins like an integer.
_TOKEN = re.compile(r"""
    (?P<space> [\ \t\r\n\f\v]+ | \#[^\n]* )
  | (?P<identifier> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<float> (?: [0-9]+\.[0-9]* | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? [fF]?
             | [0-9]+ [eE][+-]?[0-9]+ [fF]?
             | (?: 0 | [1-9][0-9]* ) [fF] )
  | (?P<integer> 0[xX][0-9A-Fa-f]+ | 0[0-7]+ | 0 | [1-9][0-9]* )
  | (?P<string> "(?: [^"\\\n] | \\[^\n] )*" | '(?: [^'\\\n] | \\[^\n] )*' )
  | (?P<symbol> [{}<>\[\]:;,-] )
""", re.VERBOSE)

_KINDS = {
    "identifier": TokenKind.IDENTIFIER,
    "float": TokenKind.FLOAT,
    "integer": TokenKind.INTEGER,
    "string": TokenKind.STRING,
    "symbol": TokenKind.SYMBOL,
}

_NUMBER_TAIL = re.compile(r"[A-Za-z0-9_.]+")


def tokens(text: str, file: str) -> Iterator[Token]:
    """Every token of `text`, then one of kind END; raises `ModelFileError` at the first character that starts none."""
    offset, line, line_start = 0, 1, 0
    while offset < len(text):
        position = Position(file, line, offset - line_start + 1)
        match = _TOKEN.match(text, offset)
        if match is None:
            raise error_at(position, _no_token(text, offset))
        kind = _KINDS.get(str(match.lastgroup))
        if kind in (TokenKind.INTEGER, TokenKind.FLOAT):
            tail = _NUMBER_TAIL.match(text, match.end())
            if tail:
                raise error_at(position, f"'{shortened(match[0] + tail[0])}' must be a number or a name, it is neither")
        if kind is not None:
            yield Token(kind, match[0], position)
        newlines = match[0].count("\n")
        if newlines:
            line += newlines
            line_start = match.start() + match[0].rindex("\n") + 1
        offset = match.end()
    yield Token(TokenKind.END, "", Position(file, line, offset - line_start + 1))


def error_at(position: Position, message: str) -> ModelFileError:
    """An error at a place of a file."""
    return ModelFileError(message, file=position.file, line=position.line, column=position.column)


def shortened(text: str) -> str:
    """`text` on one line of at most 40 characters, for an error message."""
    printable = "".join(character if character.isprintable() else "?" for character in text[:41])
    return printable if len(text) <= 40 else printable[:37] + "..."


def _no_token(text: str, offset: int) -> str:
    if text[offset] in "\"'":
        return f"a string must end with {text[offset]} on the line it starts on"
    return f"unexpected character {text[offset]!r}"
