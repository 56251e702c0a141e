"""Where a device is: what `--device` takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from cortado.errors import DeviceError

_SCHEME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class DeviceAddress:
    """`scheme`, `scheme:place` or `scheme://place`, with `?field=value&...` behind it; `text` is all of it."""

    text: str
    scheme: str
    place: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> DeviceAddress:
        """The parts of an address; `DeviceError` for text that is none."""
        front, mark, query = text.partition("?")
        scheme, _, place = front.partition(":")
        if not _SCHEME.fullmatch(scheme):
            raise DeviceError(f"device '{text}': it must begin with the name of a kind of device, as in rtlsim or "
                              "remote://HOST:PORT")
        pairs = []
        if mark:
            try:
                pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
            except ValueError:
                raise DeviceError(f"device '{text}': behind the ? there must be fields, as in ?memory=/dev/udmabuf0, "
                                  f"not '{query}'") from None
        fields = dict(pairs)
        if len(fields) < len(pairs):
            raise DeviceError(f"device '{text}': each field must be given once")
        return cls(text=text, scheme=scheme, place=place.removeprefix("//"), fields=fields)

    def require_fields(self, *known: str) -> None:
        """Raise `DeviceError` for a field that is not among the `known` ones."""
        for name in self.fields:
            if name not in known:
                words = f"known: {', '.join(known)}" if known else "it takes none"
                raise DeviceError(f"device '{self}': unknown field '{name}' ({words})")
