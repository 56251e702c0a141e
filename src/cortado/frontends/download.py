"""One HTTP download that can be broken off and taken up again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

CHUNK_BYTES = 2**16

# Seconds until a connection is there, and between two pieces of the answer.
TIMEOUT_SECONDS = (10, 30)


class Download:
    """A downloader as pooch calls it.

    Bytes go to `part`, which stays when the connection breaks, the disk is full or the user interrupts. The next call
    asks for the bytes after it (`Range`); a server that answers with the whole file instead is read from the start. An
    answer of more than `size_bytes` is not read on: it is another file. Raises `requests.RequestException` and
    `OSError`.
    """

    def __init__(self, part: Path, size_bytes: int, progress: Callable[[int, int], None] | None = None) -> None:
        self._part = part
        self._size_bytes = size_bytes
        self._progress = progress

    def __call__(self, url: str, output_file: str | os.PathLike[str], pooch: Any, check_only: bool = False) -> None:
        """Fetch `url` into `output_file`, which must be on the disk of `part`."""
        start = self._part.stat().st_size if self._part.is_file() else 0
        if start < self._size_bytes:
            self._fetch(url, start)
        os.replace(self._part, output_file)

    def _fetch(self, url: str, start: int) -> None:
        # A range counts bytes of the answer as it travels, so it must travel as it is.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                self._part.unlink()
            response.raise_for_status()
            goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
            with self._part.open("ab" if goes_on else "wb") as part:
                for chunk in response.iter_content(CHUNK_BYTES):
                    part.write(chunk)
                    if self._progress is not None:
                        self._progress(part.tell(), self._size_bytes)
                    if part.tell() > self._size_bytes:
                        break
        if self._part.stat().st_size < self._size_bytes:
            raise requests.ConnectionError("the answer ended early")
