"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def require_writable(path: Path) -> None:
    """Raise `OSError` unless a file can be written there; what is there stays."""
    is_new = not path.exists()
    path.open("ab").close()
    if is_new:
        path.unlink()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, whenever the process ends; raises `OSError`."""
    # Beside its destination, so that the rename stays on one file system.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
