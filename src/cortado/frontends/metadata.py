"""model.json: what a model folder says about its network besides the network itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any

from cortado.errors import FieldError, ModelFileError
from cortado.frontends.file import read_text

FILE_NAME = "model.json"

# Pixels are float32. JSON as Python reads it may also hold NaN and Infinity.
LARGEST_NUMBER = 2.0**127

# Of a picture, in pixels.
LARGEST_SIDE = 2**14


class ChannelOrder(Enum):
    """The planes of a picture, as the network takes them."""

    GRAY = "GRAY"
    RGB = "RGB"
    BGR = "BGR"


@dataclass(frozen=True, kw_only=True)
class PictureInput:
    """How the pixels of a picture file, 0 to 255, become the network's input.

    The picture is resized to `resize` (height, width; bilinear, without keeping its proportions), its centre `crop`
    (height, width) is cut out, and each pixel becomes (pixel - mean) * scale. An empty `resize` is the size of the
    network's input, or where there is a `crop` the picture's own; an empty `crop` cuts nothing. `mean` is one number or
    one for each channel in `channel_order`; `mean_file` instead of it names a file with a mean picture.
    Raises `FieldError`.
    """

    channel_order: ChannelOrder
    scale: float
    mean: tuple[float, ...] = ()
    mean_file: Path | None = None
    resize: tuple[int, ...] = ()
    crop: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("resize", "crop"):
            size = getattr(self, name)
            if size and (len(size) != 2 or not all(1 <= side <= LARGEST_SIDE for side in size)):
                raise FieldError(name, f"must be a height and a width from 1 to {LARGEST_SIDE}, not {list(size)}")
        if self.resize and any(crop > side for crop, side in zip(self.crop, self.resize, strict=False)):
            raise FieldError("crop", f"must lie within resize ({_by(self.resize)}), not be {_by(self.crop)}")
        if bool(self.mean) == (self.mean_file is not None):
            raise FieldError("mean", f"or mean_file must be given, not {'both' if self.mean else 'neither'}")
        if self.mean and len(self.mean) not in (1, self.channels):
            raise FieldError("mean", f"must be one number or one for each channel of {self.channel_order.value}, not "
                                     f"{len(self.mean)} numbers")

    @property
    def channels(self) -> int:
        """Planes of the network's input."""
        return 1 if self.channel_order is ChannelOrder.GRAY else 3

    def __str__(self) -> str:
        steps = []
        if self.resize:
            steps.append(f"resized to {_by(self.resize)} (bilinear)")
        elif not self.crop:
            steps.append("resized to the network's input (bilinear)")
        if self.crop:
            steps.append(f"centre crop {_by(self.crop)}")
        steps.append(self.channel_order.value)
        if self.mean_file is not None:
            steps.append(f"minus the mean picture {self.mean_file}")
        elif any(self.mean):
            steps.append(f"minus {', '.join(f'{value:g}' for value in self.mean)}")
        if self.scale != 1:
            steps.append(f"times {self.scale:.6g}")
        return ", ".join(steps)


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What model.json says.

    `weights_sha256` pins the caffemodel beside it; `weights_data` names the data file (`cortado data list`) that holds
    trained weights where none are beside it. `training_layers` are beginnings of names of layers that weights may hold
    for a branch only training has. `labels` are the words for the classes, `labels_data` a data file with them.
    `dataset` names the pictures the model is calibrated and judged with; `engine` is the configuration it runs with
    unless told.
    """

    title: str
    source: str
    licence: str
    weights_sha256: str | None = None
    weights_data: str | None = None
    training_layers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    labels_data: str | None = None
    picture: PictureInput | None = None
    dataset: str | None = None
    engine: Mapping[str, Any] = field(default_factory=dict)


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))


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
        if "mean_file" in picture:
            picture["mean_file"] = path.parent / picture["mean_file"]
        try:
            values["picture"] = PictureInput(**picture)
        except FieldError as error:
            raise ModelFileError(f"entry 'picture.{error.field}' {error.message}", file=path) from None
    return Metadata(**values)


# By the annotation of a field: the words for it, and what of JSON it takes.
_TYPES = {
    "str": ("a string", lambda value: isinstance(value, str)),
    "str | None": ("a string", lambda value: isinstance(value, str)),
    "tuple[str, ...]": ("a list of strings",
                        lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value)),
    "tuple[float, ...]": ("a list of numbers",
                          lambda value: isinstance(value, list) and all(_is_number(item) for item in value)),
    "tuple[int, ...]": ("a list of whole numbers",
                        lambda value: isinstance(value, list) and all(_is_whole(item) for item in value)),
    "Path | None": ("a string", lambda value: isinstance(value, str)),
    "float": ("a number", lambda value: _is_number(value)),
    "ChannelOrder": ("a string", lambda value: isinstance(value, str)),
    "PictureInput | None": ("an object", lambda value: isinstance(value, dict)),
    "Mapping[str, Any]": ("an object", lambda value: isinstance(value, dict)),
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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
