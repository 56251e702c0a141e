"""A memory in Python behind the streams of an engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from benches.payload import unpack
from benches.streams import Bench

from cortado.gateware.configuration import BURST_BEATS
from cortado.gateware.stream_reader import REQUEST_LAYOUT


class Memory:
    """Answers the read and write bursts of an engine in order, each after `latency_cycles`; stalls are the bench's.

    `content` is uint8. A burst outside it, across it, unaligned, empty or longer than allowed fails the bench.
    """

    def __init__(self, bench: Bench, *, size_bytes: int, beat_bytes: int, latency_cycles: int) -> None:
        self._bench, self._beat_bytes, self._latency_cycles = bench, beat_bytes, latency_cycles
        self.content = np.zeros(size_bytes, np.uint8)
        self.fails: Callable[[int], bool] = lambda burst: False
        """Whether the write burst of this number is answered with an error."""
        self.written_bursts = 0
        self._write_bursts: deque[list[int]] = deque()  # address and beats left of each
        self._early_beats: deque[int] = deque()
        self._responses: deque[tuple[int, int]] = deque()  # cycle, response
        for name in ("activations", "weights"):
            self._serve_reads(name)
        self._response = bench.source("results_response")
        bench.sink("results_request", self._ask_to_write)
        bench.sink("results", self._write)
        bench.on_drive.append(self._respond)

    @property
    def idle(self) -> bool:
        """Whether every write burst has had its data and its response, and no data has come unasked."""
        return not self._write_bursts and not self._early_beats and not self._responses and self._response.drained

    def _serve_reads(self, name: str) -> None:
        source = self._bench.source(name)
        waiting: deque[tuple[int, int]] = deque()  # cycle, beat

        def ask(bits: int) -> None:
            address, beats = self._checked(name, bits)
            for first in range(address, address + beats * self._beat_bytes, self._beat_bytes):
                beat = int.from_bytes(self.content[first:first + self._beat_bytes].tobytes(), "little")
                waiting.append((self._bench.cycle + self._latency_cycles, beat))

        def answer() -> None:
            while waiting and waiting[0][0] <= self._bench.cycle:
                source.send(waiting.popleft()[1])

        self._bench.sink(f"{name}_request", ask)
        self._bench.on_drive.append(answer)

    def _ask_to_write(self, bits: int) -> None:
        self._write_bursts.append(list(self._checked("results", bits)))
        self._store()

    def _write(self, beat: int) -> None:
        self._early_beats.append(beat)
        self._store()

    def _store(self) -> None:
        """Data may come before or after the request for its burst."""
        while self._write_bursts and self._early_beats:
            burst = self._write_bursts[0]
            beat = self._early_beats.popleft().to_bytes(self._beat_bytes, "little")
            self.content[burst[0]:burst[0] + self._beat_bytes] = np.frombuffer(beat, np.uint8)
            burst[0], burst[1] = burst[0] + self._beat_bytes, burst[1] - 1
            if burst[1] == 0:
                self._write_bursts.popleft()
                failed = self.fails(self.written_bursts)
                self.written_bursts += 1
                self._responses.append((self._bench.cycle + self._latency_cycles, int(failed)))

    def _respond(self) -> None:
        while self._responses and self._responses[0][0] <= self._bench.cycle:
            self._response.send(self._responses.popleft()[1])

    def _checked(self, name: str, bits: int) -> tuple[int, int]:
        request = unpack(REQUEST_LAYOUT, bits)
        address, beats = request["address"], request["beats"]
        assert address % self._beat_bytes == 0, f"{name}: {request} must start on a beat"
        assert 1 <= beats <= BURST_BEATS, f"{name}: {request} must have 1 to {BURST_BEATS} beats"
        assert address + beats * self._beat_bytes <= len(self.content), f"{name}: {request} must stay in the memory"
        return address, beats
