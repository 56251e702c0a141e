"""A parsed message -> a frozen dataclass, field by field, every error with line and column.

The dataclass is the schema: its field names are the message's, `tuple[X, ...]` is a repeated field, `X | None` an
optional one without a default, and X is int, float, bool, str, an Enum (by name or number), another such dataclass,
or `Message` for one that is taken as it stands. A dataclass's own check raises `FieldError`.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Iterable
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from cortado.errors import FieldError
from cortado.frontends.text_token import error_at, shortened
from cortado.frontends.textformat import Field, Message, Scalar, ScalarKind

T = TypeVar("T")

# Of 32 bits.
LARGEST_FLOAT = (2 - 2**-23) * 2.0**127

# What protobuf reads as a boolean.
_BOOLEANS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}


@dataclasses.dataclass(frozen=True)
class _FieldType:
    """The type of one dataclass field: `scalar` is what one value becomes."""

    scalar: Any
    repeated: bool
    required: bool


def bind(message: Message, cls: type[T], who: str, *, also_known: Iterable[str] = ()) -> T:
    """`message` as a `cls`; raises `ModelFileError`.

    `who` names the message in errors ("layer 'conv1': convolution_param"). `also_known` are fields the caller has
    taken out of the message and that are listed among the known ones.
    """
    schema = _schema(cls)
    values: dict[str, list[Any]] = {}
    for field in message.fields:
        if field.name not in schema:
            raise error_at(field.position, _unknown_field(who, field.name, {*schema, *also_known}))
        field_type = schema[field.name]
        if field.name in values and not field_type.repeated:
            raise error_at(field.position, f"{who}: field '{field.name}' must be given once")
        values.setdefault(field.name, []).append(_value(field, field_type.scalar, who))
    for name, field_type in schema.items():
        if field_type.required and name not in values:
            raise error_at(message.position, f"{who}: field '{name}' must be given")
    arguments = {name: tuple(given) if schema[name].repeated else given[0] for name, given in values.items()}
    try:
        return cls(**arguments)
    except FieldError as error:
        places = message.named(error.field)
        place = places[error.index or 0].position if places else message.position
        raise error_at(place, f"{who}: {error}") from None


@cache
def _schema(cls: type) -> dict[str, _FieldType]:
    hints = get_type_hints(cls)
    schema = {}
    for field in dataclasses.fields(cls):
        scalar, repeated = hints[field.name], False
        if get_origin(scalar) in (Union, types.UnionType):
            scalar, = (option for option in get_args(scalar) if option is not type(None))
        if get_origin(scalar) is tuple:
            scalar, repeated = get_args(scalar)[0], True
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        schema[field.name] = _FieldType(scalar, repeated, required)
    return schema


def _unknown_field(who: str, name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"{who}: unknown field '{shortened(name)}'{hint} (known: {', '.join(sorted(known))})"


def _value(field: Field, wanted: Any, who: str) -> Any:
    value = field.value
    if wanted is Message or dataclasses.is_dataclass(wanted):
        if isinstance(value, Scalar):
            raise error_at(value.position, f"{who}: field '{field.name}' must be a message {{ ... }}, "
                                           f"not {_described(value)}")
        return value if wanted is Message else bind(value, wanted, f"{who}.{field.name}")
    if isinstance(value, Message):
        raise error_at(value.position, f"{who}: field '{field.name}' must be {_wanted_words(wanted)}, not a message")
    converted = _convert(value, wanted)
    if converted is None:
        raise error_at(value.position, f"{who}: field '{field.name}' must be {_wanted_words(wanted)}, "
                                       f"not {_described(value)}")
    return converted


def _convert(value: Scalar, wanted: Any) -> Any:
    """The scalar as `wanted`, or None if it is none."""
    if wanted is bool:
        if value.kind is ScalarKind.INTEGER and value.value in (0, 1):
            return bool(value.value)
        return _BOOLEANS.get(str(value.value)) if value.kind is ScalarKind.NAME else None
    if wanted is int:
        fits = value.kind is ScalarKind.INTEGER and -2**63 <= value.value < 2**63
        return value.value if fits else None
    if wanted is float:
        if value.kind not in (ScalarKind.INTEGER, ScalarKind.FLOAT):
            return None
        # Caffe's numbers are of 32 bits.
        return float(value.value) if abs(value.value) <= LARGEST_FLOAT else None
    if wanted is str:
        return value.value if value.kind is ScalarKind.STRING else None
    if issubclass(wanted, Enum):
        if value.kind is ScalarKind.NAME:
            return wanted.__members__.get(str(value.value))
        numbers = {member.value: member for member in wanted}
        return numbers.get(value.value) if value.kind is ScalarKind.INTEGER else None
    raise TypeError(f"a schema must not have a field of type {wanted!r}")


def _wanted_words(wanted: Any) -> str:
    if wanted is bool:
        return "true or false"
    if wanted is int:
        return "a whole number of 64 bits"
    if wanted is float:
        return "a finite number"
    if wanted is str:
        return "a quoted string"
    return "one of " + ", ".join(wanted.__members__)


def _described(value: Scalar) -> str:
    text = shortened(str(value.value))
    return f'"{text}"' if value.kind is ScalarKind.STRING else text
