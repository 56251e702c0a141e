"""Reading and writing whole files, with one kind of error."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

from cortado import whole_file
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


def make_folder(path: str | Path) -> None:
    """Make a folder to write into, and those above it; raises `ModelFileError` where nothing can be written."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ModelFileError(f"it must be a folder that can be written to: {error.strerror}", file=path) from None


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, whenever the process ends; raises `ModelFileError`."""
    try:
        whole_file.write_whole(Path(path), data)
    except OSError as error:
        raise ModelFileError(f"the file cannot be written: {error.strerror}", file=path) from None
