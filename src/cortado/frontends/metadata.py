"""model.json: what a model folder says about its network besides the network itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any

from cortado.errors import ModelFileError
from cortado.frontends.file import read_text

FILE_NAME = "model.json"

# Pixels are float32. JSON as Python reads it may also hold NaN and Infinity.
LARGEST_NUMBER = 2.0**127


class ChannelOrder(Enum):
    """The planes of a picture, as the network takes them."""

    GRAY = "GRAY"
    RGB = "RGB"
    BGR = "BGR"


@dataclass(frozen=True, kw_only=True)
class PictureInput:
    """How the pixels of a picture file, 0 to 255, become the network's input: (pixel - mean) * scale."""

    channel_order: ChannelOrder
    mean: tuple[float, ...]
    scale: float


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """`weights_sha256` pins the caffemodel beside it; `dataset` names the pictures it is calibrated and judged with;
    `engine` is the configuration the model runs with unless told.
    """

    title: str
    source: str
    licence: str
    weights_sha256: str | None = None
    labels: tuple[str, ...] = ()
    picture: PictureInput | None = None
    dataset: str | None = None
    engine: Mapping[str, Any] = field(default_factory=dict)


def read_metadata(path: Path) -> Metadata:
    """The contents of a model.json; raises `ModelFileError` naming the entry that is wrong."""
    text = read_text(path)
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelFileError(f"not JSON: {error.msg}", file=path, line=error.lineno, column=error.colno) from None
    except ValueError as error:
        # Numbers of thousands of digits.
        raise ModelFileError(f"not JSON: {error}", file=path) from None
    except RecursionError:
        raise ModelFileError("entries nest too deep", file=path) from None
    values = _checked(path, "", entries, Metadata)
    if values.get("picture") is not None:
        picture = _checked(path, "picture.", values["picture"], PictureInput)
        if picture["channel_order"] not in ChannelOrder.__members__:
            raise ModelFileError("entry 'picture.channel_order' must be one of "
                                 f"{', '.join(ChannelOrder.__members__)}, not {picture['channel_order']!r}", file=path)
        picture["channel_order"] = ChannelOrder[picture["channel_order"]]
        values["picture"] = PictureInput(**picture)
    return Metadata(**values)


# By the annotation of a field: the words for it, and what of JSON it takes.
_TYPES = {
    "str": ("a string", lambda value: isinstance(value, str)),
    "str | None": ("a string", lambda value: isinstance(value, str)),
    "tuple[str, ...]": ("a list of strings",
                        lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value)),
    "tuple[float, ...]": ("a list of numbers",
                          lambda value: isinstance(value, list) and all(_is_number(item) for item in value)),
    "float": ("a number", lambda value: _is_number(value)),
    "ChannelOrder": ("a string", lambda value: isinstance(value, str)),
    "PictureInput | None": ("an object", lambda value: isinstance(value, dict)),
    "Mapping[str, Any]": ("an object", lambda value: isinstance(value, dict)),
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER


def _checked(path: Path, prefix: str, entries: object, cls: type) -> dict[str, Any]:
    """The entries that are fields of `cls`, lists as tuples; every one known, typed and, where required, there."""
    if not isinstance(entries, dict):
        raise ModelFileError(f"must be a JSON object, not {type(entries).__name__}", file=path)
    known = {entry.name: entry for entry in fields(cls)}
    for name in entries:
        if name not in known:
            raise ModelFileError(f"unknown entry '{prefix}{name}' (known: {', '.join(known)})", file=path)
    values = {}
    for name, entry in known.items():
        if name not in entries:
            if entry.default is MISSING and entry.default_factory is MISSING:
                raise ModelFileError(f"entry '{prefix}{name}' must be given", file=path)
            continue
        words, accepts = _TYPES[str(entry.type)]
        if not accepts(entries[name]):
            raise ModelFileError(f"entry '{prefix}{name}' must be {words}, not {entries[name]!r}", file=path)
        values[name] = tuple(entries[name]) if isinstance(entries[name], list) else entries[name]
    return values
