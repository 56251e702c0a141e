"""Protobuf's text format out of Python values: dict for a message, list for a repeated field."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def write_text(fields: Mapping[str, Any], indent: int = 0) -> str:
    """One line a value, messages indented by two; `TypeError` for a value that has no text.

    str is quoted, an Enum is written by name, bool as true or false.
    """
    lines = []
    for name, value in fields.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, Mapping):
                lines.append(f"{' ' * indent}{name} {{\n{write_text(item, indent + 2)}{' ' * indent}}}\n")
            else:
                lines.append(f"{' ' * indent}{name}: {_scalar(name, item)}\n")
    return "".join(lines)


def _scalar(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(character, character) for character in value) + '"'
    raise TypeError(f"field '{name}' must be a number, a string, a truth value, a dict or a list of them, not "
                    f"{type(value).__name__}")
