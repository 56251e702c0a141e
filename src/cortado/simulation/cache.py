"""The build cache: folders found by the content they were made from.

An entry is a folder `KIND/KEY` whose manifest lists the checksum of every file. It is built in a folder beside it and
renamed when complete, so a reader sees all of it or nothing; one lock for each key keeps two processes from building
the same entry at once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from cortado.errors import CacheError

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
FOLDER_VARIABLE = "CORTADO_CACHE"


def cache_folder() -> Path:
    """Where builds are kept: the folder named by `CORTADO_CACHE`, else `~/.cache/cortado`."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    # Tools run in folders of their own: a relative path would lead elsewhere there.
    return Path(chosen).absolute() if chosen else Path.home() / ".cache" / "cortado"


def digest(*parts: str | bytes | Path) -> str:
    """A key of 32 hex digits from texts and from the content of files; their number and borders count."""
    total = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        total.update(len(content).to_bytes(8, "little") + content)
    return total.hexdigest()[:32]


def cached(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder of the entry `key`, built by `build(folder)` if there is none or it is damaged.

    Raises `CacheError` if the cache folder cannot be written, and whatever `build` raises; then nothing is kept.
    """
    entry = cache_folder() / kind / key
    if is_intact(entry):
        return entry
    with _file_errors():
        entry.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(entry.parent / f"{entry.name}.lock"):
            if not is_intact(entry):
                _fill(entry, build)
    return entry


def _fill(entry: Path, build: Callable[[Path], None]) -> None:
    """Build an entry in place of whatever is there; the caller holds its lock."""
    if entry.exists():
        logger.warning("build cache: %s is damaged and is built again", entry)
        _remove(entry)
    for leftover in entry.parent.glob(f"{entry.name}.partial-*"):
        shutil.rmtree(leftover)
    folder = _partial_folder(entry)
    try:
        build(folder)
        _write_manifest(folder)
        folder.rename(entry)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def is_intact(entry: Path) -> bool:
    """Whether an entry is complete and every file has the checksum it was stored with."""
    try:
        files = json.loads((entry / MANIFEST).read_text())
        return bool(files) and all(_checksum(entry / name) == checksum for name, checksum in files.items())
    except (OSError, ValueError, AttributeError):
        return False


def _write_manifest(folder: Path) -> None:
    files = {path.name: _checksum(path) for path in sorted(folder.iterdir())}
    (folder / MANIFEST).write_text(json.dumps(files, indent=1))


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _partial_folder(entry: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{entry.name}.partial-", dir=entry.parent))


def _remove(entry: Path) -> None:
    # Renamed first: what an interrupted removal leaves is a partial folder, never half an entry.
    entry.rename(_partial_folder(entry) / entry.name)


@contextmanager
def _file_errors() -> Iterator[None]:
    """Turn a refusal of the file system into a `CacheError`."""
    try:
        yield
    except OSError as error:
        raise CacheError(f"build cache '{cache_folder()}': must be a folder that can be written, not refuse with "
                         f"'{error.strerror}'; set {FOLDER_VARIABLE} to a folder of yours") from error
