"""The folder `cortado generate` writes: it appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cortado.errors import CortadoError

MANIFEST_FILE = "manifest.json"
LONGEST_STEM = 60


@contextmanager
def new_folder(folder: Path, *, force: bool = False) -> Iterator[Path]:
    """A folder to write to, which takes the place of `folder` at the end unless something was raised.

    Raises `CortadoError` when `folder` holds something (with `force`: something else than a bundle) or cannot be
    written.
    """
    try:
        is_taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
        if is_taken and not force:
            raise CortadoError(f"'{folder}': the output folder must be new or empty; give another one or --force")
        if is_taken and not (folder / MANIFEST_FILE).is_file():
            raise CortadoError(f"'{folder}': --force replaces what cortado generate wrote, and there is no "
                               f"{MANIFEST_FILE} in this folder; give another one")
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside its destination, so that the rename stays on one file system.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            new = Path(temporary) / "new"
            new.mkdir()
            yield new
            if folder.exists():
                os.replace(folder, Path(temporary) / "old")
            os.replace(new, folder)
    except OSError as error:
        raise CortadoError(f"'{folder}': the output folder cannot be written: {error.strerror}; give another one"
                           ) from error


def file_stem(index: int, layer: str) -> str:
    """The file name for a layer: its name may hold anything, so its number and what is safe of the name."""
    safe = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "_" for char in layer)
    return f"{index:03d}_{safe[:LONGEST_STEM]}"
