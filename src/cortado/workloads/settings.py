"""Settings of a workload from the words of a user, `key=value`."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from cortado.errors import FieldError, WorkloadError

T = TypeVar("T")

_BOOLEANS = {"true": True, "false": False}


def with_given(settings: T, given: Mapping[str, Any], who: str) -> T:
    """The settings with some of them given, as values or as the words for them; raises `WorkloadError`.

    Words are a number, true or false, the name of an Enum's member in either case, a path, or several of these with
    commas between; `none` is None where a setting may be absent. `who` is the name errors show.
    """
    hints = get_type_hints(type(settings))
    values = {}
    for name, value in given.items():
        if name not in hints:
            close = difflib.get_close_matches(name, hints, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise WorkloadError(f"{who}: unknown setting '{name}'{hint} (known: {', '.join(hints)})")
        values[name] = _value(value, hints[name], f"{who}: setting '{name}'") if isinstance(value, str) else value
    try:
        return dataclasses.replace(settings, **values)
    except FieldError as error:
        raise WorkloadError(f"{who}: setting '{error.field}' {error.message}") from None


def settings_data(settings: Any) -> dict[str, Any]:
    """Settings as values of JSON, by name."""
    return {entry.name: _plain(getattr(settings, entry.name)) for entry in dataclasses.fields(settings)}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _value(words: str, wanted: Any, who: str) -> Any:
    if get_origin(wanted) in (Union, types.UnionType):
        if words == "none":
            return None
        wanted, = (option for option in get_args(wanted) if option is not type(None))
    if get_origin(wanted) is tuple:
        return tuple(_value(item.strip(), get_args(wanted)[0], who) for item in words.split(",") if item.strip())
    if wanted in (str, Path):
        return wanted(words)
    if wanted is bool:
        found, must = _BOOLEANS.get(words.lower()), "true or false"
    elif issubclass(wanted, Enum):
        found = wanted.__members__.get(words.upper())
        must = f"one of {', '.join(name.lower() for name in wanted.__members__)}"
    else:
        found, must = _number(words, wanted), "a whole number" if wanted is int else "a finite number"
    if found is None:
        raise WorkloadError(f"{who} must be {must}, not {words!r}")
    return found


def _number(words: str, wanted: type) -> int | float | None:
    try:
        number = wanted(words)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
