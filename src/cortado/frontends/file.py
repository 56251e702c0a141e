"""Reading whole files, with one kind of error."""

from __future__ import annotations

from pathlib import Path

from cortado.errors import ModelFileError


def read_bytes(path: str | Path) -> bytes:
    """The contents of a file; raises `ModelFileError`."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ModelFileError(f"the file cannot be read: {error.strerror}", file=path) from None


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, without a byte order mark; raises `ModelFileError`."""
    data = read_bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelFileError("the file must be UTF-8 text: a network is a .prototxt, only its weights are binary",
                             file=path, line=data.count(b"\n", 0, error.start) + 1) from None
