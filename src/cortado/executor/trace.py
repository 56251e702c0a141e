"""What happened when: host layers, copies, jobs and what the engine did in them, on one timeline.

The file is the JSON that Chrome's about:tracing and Perfetto open (Google, "Trace Event Format", 2016).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from cortado.device.device import JobRecord
from cortado.errors import CortadoError
from cortado.simulation.counters import Counters
from cortado.whole_file import require_writable, write_whole

HOST, DEVICE, ENGINE = "host layers", "device", "engine"


class Trace:
    """Collects spans of time by track; any thread may add. Times are those of `time.perf_counter`."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self._lock = threading.Lock()
        self._tracks: dict[str, int] = {}
        self._events: list[dict[str, object]] = []

    @contextmanager
    def span(self, track: str, name: str, **arguments: object) -> Iterator[None]:
        """What happens in the block."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(track, name, begin, time.perf_counter(), **arguments)

    def add(self, track: str, name: str, begin: float, end: float, **arguments: object) -> None:
        """A span that is over."""
        self._event(track, {"ph": "X", "name": name, "ts": self._microseconds(begin),
                            "dur": max(0.0, 1e6 * (end - begin)), "args": arguments})

    def job(self, record: JobRecord, part: int, counters: Counters | None) -> None:
        """A job, and what the engine did from one look at its counters to the next."""
        cycles = {} if counters is None else asdict(counters)
        self.add(DEVICE, record.layer, record.begin, record.end, part=part, **cycles)
        last, begin = None, record.begin
        for moment, seen in record.looks:
            phase = {name: value - last[name] if last else value for name, value in seen.items() if name != "cycles"}
            name = max(phase, key=phase.get)
            self.add(ENGINE, name, begin, moment, part=part, layer=record.layer, **phase)
            self._event(ENGINE, {"ph": "C", "name": "cycles by cause", "ts": self._microseconds(begin), "args": phase})
            last, begin = seen, moment

    @staticmethod
    def require_file(file: Path) -> None:
        """Raise `CortadoError` unless a trace can be written to that file."""
        with _told(file):
            require_writable(file)

    def write(self, file: Path) -> None:
        """Write the trace; `CortadoError` where that cannot be."""
        names = [{"ph": "M", "name": "thread_name", "pid": 1, "tid": track, "args": {"name": name}}
                 for name, track in self._tracks.items()]
        events = sorted(self._events, key=lambda event: event["ts"])
        with _told(file):
            write_whole(file, (json.dumps({"displayTimeUnit": "ms", "traceEvents": [*names, *events]}) + "\n").encode())

    def _event(self, track: str, event: dict[str, object]) -> None:
        with self._lock:
            number = self._tracks.setdefault(track, len(self._tracks) + 1)
            self._events.append({"pid": 1, "tid": number, **event})

    def _microseconds(self, moment: float) -> float:
        return 1e6 * (moment - self._begin)


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """What the system says of a file, as our error."""
    try:
        yield
    except OSError as error:
        raise CortadoError(f"trace file '{file}': must be one that can be written, not refuse with "
                           f"'{error.strerror}'") from error
