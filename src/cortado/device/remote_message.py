"""What a served device and its clients say to each other.

gRPC carries the calls, with its deadlines, limits and broken connections; what it carries are bytes of our own: a line
of JSON and the bytes of memory behind it. Nothing is compiled from a description, and memory is never copied into
another form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cortado import errors
from cortado.errors import DeadlockError, DeviceError

# Raised with every change of what is said; both ends must have the same.
PROTOCOL = 1
SERVICE = "cortado.Device"

# Most bytes of memory in one call, and what else a call may hold.
CHUNK_BYTES = 2 * 2**20
HEADER_BYTES = 64 * 2**10

# Errors that come out at the client as what they were at the server.
KNOWN_ERRORS = ("DeviceError", "DeviceTimeoutError", "SimulationError", "DeadlockError", "ToolError", "CacheError",
                "ConfigurationError", "ConnectionLostError")


@dataclass(frozen=True, kw_only=True)
class Message:
    """`fields` are numbers, texts and so on by name, `payload` bytes of memory."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def encode(self) -> bytes:
        """The bytes gRPC carries."""
        return json.dumps(self.fields).encode() + b"\n" + self.payload

    @classmethod
    def decode(cls, data: bytes) -> Message:
        """Back from bytes; `DeviceError` for bytes that are no message."""
        header, mark, payload = data.partition(b"\n")
        try:
            fields = json.loads(header)
        except ValueError:
            fields = None
        if not mark or not isinstance(fields, dict):
            raise DeviceError("message: it must begin with a line of JSON")
        return cls(fields=fields, payload=payload)

    def whole(self, name: str, least: int, most: int) -> int:
        """A field that must be a whole number in that range."""
        value = self.fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise DeviceError(f"message: {name} must be a whole number from {least} to {most}, not {value!r}")
        return value

    def text(self, name: str) -> str:
        """A field that must be a text."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise DeviceError(f"message: {name} must be a text, not {value!r}")
        return value


def error_message(error: Exception) -> Message:
    """An error on its way to the client."""
    kind = type(error).__name__
    fields: dict[str, Any] = {"error": kind if kind in KNOWN_ERRORS else "DeviceError", "words": str(error)}
    if isinstance(error, DeadlockError):
        fields["streams"] = error.streams
        fields["words"] = str(error).splitlines()[0]
    return Message(fields=fields)


def raise_error(message: Message) -> None:
    """Raise what a message tells, if it tells of an error."""
    if "error" not in message.fields:
        return
    kind, words = message.text("error"), message.text("words")
    if kind == "DeadlockError":
        raise DeadlockError(words, streams=message.fields["streams"])
    raise getattr(errors, kind if kind in KNOWN_ERRORS else "DeviceError")(words)


