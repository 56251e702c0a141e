"""The data folder: files from outside, found by name, checked by content, fetched when asked."""

from __future__ import annotations

import difflib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from cortado.errors import DataError
from cortado.frontends.data_file import DataFile, data_files

FOLDER_VARIABLE = "CORTADO_DATA"


class FileState(Enum):
    """How a data file is in the data folder."""

    HERE = "here"
    PARTLY = "partly here"
    ABSENT = "not here"
    DAMAGED = "damaged"


def data_folder() -> Path:
    """Where data files are kept: the folder named by `CORTADO_DATA`, else `~/.cache/cortado/data`."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path.home() / ".cache" / "cortado" / "data"


def place_of(file: DataFile) -> Path:
    """Where the file is, or would be."""
    return data_folder() / file.path


def part_of(file: DataFile) -> Path:
    """What there is of the file while it is being fetched."""
    place = place_of(file)
    return place.with_name(f"{place.name}.part")


def state_of(file: DataFile) -> FileState:
    """How the file is in the data folder; reads all of it."""
    with _file_errors(file):
        if place_of(file).is_file():
            return FileState.HERE if _sha256(place_of(file)) == file.sha256 else FileState.DAMAGED
        return FileState.PARTLY if part_of(file).is_file() else FileState.ABSENT


def find(name: str) -> Path | None:
    """The data file of that name if it is here. Raises `DataError` for an unknown name and for a damaged file."""
    file = _known(name)
    state = state_of(file)
    if state is FileState.DAMAGED:
        raise DataError(f"data file '{name}' ({place_of(file)}): sha256 must be {file.sha256}, not "
                        f"{_sha256(place_of(file))}; cortado data get {name} fetches it anew")
    return place_of(file) if state is FileState.HERE else None


def path_to(name: str) -> Path:
    """The data file of that name; raises `DataError` where it is not here, with the command that fetches it."""
    found = find(name)
    if found is None:
        raise DataError(f"data file '{name}' must be in {data_folder()}, it is not there; cortado data get "
                        f"{data_files[name].collection} fetches it")
    return found


def file_names(name: str) -> tuple[str, ...]:
    """The data files that a name stands for: of a file, or of files that belong together. Raises `DataError`."""
    found = tuple(known for known in data_files if name in (known, data_files[known].collection))
    if not found:
        raise _unknown(name)
    return found


def fetch(name: str, progress: Callable[[int, int], None] | None = None) -> Path:
    """The data file of that name, fetched if it is not here or damaged, and checked.

    What arrives goes to a `.part` file beside the place; a later call asks the server for the rest of it only (HTTP
    Range). `progress` is told the bytes that are there and those there will be. Raises `DataError` for an unknown
    name, no network, an answer that is not the file, a wrong checksum, a full disk and a folder that cannot be written.
    """
    # Imported here: runs without a download need not wait for them.
    import pooch
    import requests

    from cortado.frontends.download import Download

    file = _known(name)
    place = place_of(file)
    with _file_errors(file):
        if state_of(file) is FileState.HERE:
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        pooch.get_logger().setLevel("WARNING")
        try:
            pooch.retrieve(file.url, f"sha256:{file.sha256}", fname=place.name, path=place.parent,
                           downloader=Download(part_of(file), file.size_bytes, progress))
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            raise _not_fetched(file, "must be reachable, no connection was made or it broke off"
                                     f"{_kept(file)}") from None
        except requests.Timeout:
            raise _not_fetched(file, f"must answer, it has been silent too long{_kept(file)}") from None
        except requests.HTTPError as error:
            raise _not_fetched(file, f"must serve the file, it answered {error.response.status_code} "
                                     f"{error.response.reason}") from None
        except requests.RequestException as error:
            raise _not_fetched(file, f"must serve the file: {error}{_kept(file)}") from None
        except ValueError:
            # Pooch's word for a wrong checksum; it has removed what came.
            raise _not_fetched(file, f"must serve bytes of sha256 {file.sha256}, it served others; they were thrown "
                                     "away. Something between here and there may have changed them") from None
    return place


def _known(name: str) -> DataFile:
    if name not in data_files:
        raise _unknown(name)
    return data_files[name]


def _unknown(name: str) -> DataError:
    # Those that belong together are named together: some are many.
    known = dict.fromkeys(data_files[file].collection for file in data_files)
    close = difflib.get_close_matches(name, known, n=3)
    hint = f"; did you mean {' or '.join(repr(entry) for entry in close)}?" if close else ""
    return DataError(f"unknown data file '{name}'{hint} (known: {', '.join(known)})")


def _not_fetched(file: DataFile, message: str) -> DataError:
    return DataError(f"data file '{file.name}': {file.url} {message}")


def _kept(file: DataFile) -> str:
    part = part_of(file)
    if not part.is_file():
        return ""
    return (f"; {part.stat().st_size:,} of {file.size_bytes:,} bytes are kept, cortado data get {file.name} goes on "
            "there")


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def _file_errors(file: DataFile) -> Iterator[None]:
    """Turn a refusal of the file system into a `DataError`."""
    try:
        yield
    except OSError as error:
        folder = place_of(file).parent
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(f"data file '{file.name}': {folder} must have room for {file.size_bytes:,} bytes, the disk "
                            f"is full; make room and cortado data get {file.name} goes on, or set {FOLDER_VARIABLE} to "
                            "a folder of another disk") from None
        raise DataError(f"data file '{file.name}': {folder} must be a folder that can be read and written, not refuse "
                        f"with '{error.strerror or error}'; set {FOLDER_VARIABLE} to a folder of yours") from None
