"""The file a bench keeps its measurements in, so that one that was interrupted goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cortado.bench.layer import BenchLayer
from cortado.bench.measurement import Measurement
from cortado.errors import CortadoError
from cortado.whole_file import write_whole

FILE_VERSION = 1
_KIND = "cortado bench engine"


class ResultsFile:
    """Measurements by key; every one that is kept is on the disk before the next layer begins.

    Without a path they are kept in memory only. Raises `CortadoError` for a file that is something else or cannot be
    written.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._entries: dict[str, Any] = {}
        if path is not None and path.exists():
            self._entries = self._read(path)
        elif path is not None:
            # A folder that is not there is found out before the first layer runs, not after.
            self._write()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: str) -> Measurement | None:
        """What was measured under that key, if anything."""
        entry = self._entries.get(key)
        return None if entry is None else Measurement.from_data(entry["measurement"])

    def keep(self, key: str, layer: BenchLayer, measurement: Measurement) -> None:
        """Add a measurement."""
        self._entries[key] = {"network": layer.network, "layer": layer.name, "shape": layer.words,
                              "batch": layer.geometry.batch, "measurement": measurement.to_data()}
        if self.path is not None:
            self._write()

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            data = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise CortadoError(f"'{path}': the results must be a file a bench wrote, not one that cannot be read "
                               f"({error}); give another one") from error
        if not isinstance(data, dict) or data.get("kind") != _KIND or data.get("version") != FILE_VERSION:
            raise CortadoError(f"'{path}': the results must be a file of {_KIND}, version {FILE_VERSION}; give another "
                               "one")
        return data["results"]

    def _write(self) -> None:
        text = json.dumps({"kind": _KIND, "version": FILE_VERSION, "results": self._entries}, indent=1) + "\n"
        try:
            write_whole(self.path, text.encode())
        except OSError as error:
            raise CortadoError(f"'{self.path}': the results must be a file that can be written, not refuse with "
                               f"'{error.strerror}'; give another one") from error
