"""A memory in Python behind the AXI4 channels of a part, which keeps to no order between IDs."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from benches.streams import Bench

from cortado.gateware.axi import BOUNDARY_BYTES, CACHE, INCREMENT, Response


class AxiMemory:
    """Answers the bursts of the port `name`; one that breaks a rule of the bus fails the bench.

    What it holds is up to `read` and `write`: functions of an address, and of an address, a beat and its strobes.
    Every channel stalls with `stall_probability` in a cycle.
    """

    def __init__(self, bench: Bench, name: str, *, beat_bytes: int, latency_cycles: int,
                 stall_probability: float) -> None:
        self._bench, self._name, self._beat_bytes, self._latency = bench, name, beat_bytes, latency_cycles
        self._stall_probability = stall_probability
        self._rng = random.Random(f"{name} {stall_probability}")
        self.read: Callable[[int], int] = lambda address: 0
        self.write: Callable[[int, int, int], None] = lambda address, beat, strobes: None
        self.read_fails: Callable[[int, int], bool] = lambda identity, burst: False
        """Whether the read burst of this number of an ID is answered with an error."""
        self.write_fails: Callable[[int], bool] = lambda burst: False
        """Whether the write burst of this number is answered with an error."""
        self.read_bursts: dict[int, int] = {}
        self.written_bursts = 0
        self._shown: dict[str, dict[str, int]] = {}
        self._ready: dict[str, bool] = {}

    def serve_reads(self) -> None:
        """Connects the read channels."""
        self._reading: dict[int, deque[list]] = {}  # of each ID: cycle, address, beats left, failed
        self._beat: dict[str, int] | None = None
        self._bench.on_drive.append(self._drive_reads)
        self._bench.on_look.append(self._look_at_reads)

    def serve_writes(self) -> None:
        """Connects the write channels."""
        self._writing: deque[list] = deque()  # address, beats left, failed
        self._early: deque[tuple[int, int, int]] = deque()
        self._answers: deque[tuple[int, int]] = deque()  # cycle, response
        self._response: int | None = None
        self._bench.on_drive.append(self._drive_writes)
        self._bench.on_look.append(self._look_at_writes)

    @property
    def idle(self) -> bool:
        """Whether every burst has been answered."""
        reading = any(self._reading.values()) or self._beat is not None if hasattr(self, "_reading") else False
        writing = (bool(self._writing or self._early or self._answers) or self._response is not None
                   if hasattr(self, "_writing") else False)
        return not reading and not writing

    def _port(self, signal: str) -> object:
        return self._bench.port(f"{self._name}.{signal}")

    def _stalls(self) -> bool:
        return self._rng.random() < self._stall_probability

    def _set_ready(self, channel: str) -> None:
        self._ready[channel] = not self._stalls()
        self._port(f"{channel}ready").value = int(self._ready[channel])

    def _taken(self, channel: str, signals: tuple[str, ...]) -> dict[str, int] | None:
        """The payload of a channel when it moves; what has been shown must stay until then."""
        shown = self._shown.pop(channel, None)
        if not int(self._port(f"{channel}valid").value):
            assert shown is None, f"{channel}valid must hold until ready"
            return None
        payload = {signal: int(self._port(f"{channel}{signal}").value) for signal in signals}
        assert shown in (None, payload), f"{channel}: the payload must hold until it is taken"
        if not self._ready[channel]:
            self._shown[channel] = payload
            return None
        return payload

    def _address(self, channel: str) -> dict[str, int] | None:
        payload = self._taken(channel, ("addr", "len", "size", "burst", "cache", "prot", "id"))
        if payload is not None:
            last = payload["addr"] + (payload["len"] + 1) * self._beat_bytes - 1
            assert payload["addr"] % self._beat_bytes == 0, f"{channel}: {payload} must be aligned"
            assert payload["addr"] // BOUNDARY_BYTES == last // BOUNDARY_BYTES, f"{channel}: {payload} leaves its page"
            assert 1 << payload["size"] == self._beat_bytes
            assert (payload["burst"], payload["cache"], payload["prot"]) == (INCREMENT, CACHE, 0)
        return payload

    def _drive_reads(self) -> None:
        self._set_ready("ar")
        if self._beat is None and not self._stalls():
            due = [identity for identity, bursts in self._reading.items()
                   if bursts and bursts[0][0] <= self._bench.cycle]
            if due:
                # Any of them: beats of different IDs may come in turn.
                identity = self._rng.choice(due)
                burst = self._reading[identity][0]
                burst[2] -= 1
                self._beat = {"id": identity, "data": self.read(burst[1]), "last": int(burst[2] == 0),
                              "resp": Response.SLVERR if burst[3] else Response.OKAY}
                burst[1] += self._beat_bytes
                if burst[2] == 0:
                    self._reading[identity].popleft()
        self._port("rvalid").value = int(self._beat is not None)
        shown = self._beat or {"id": self._rng.getrandbits(2), "data": self._rng.getrandbits(8 * self._beat_bytes),
                               "last": self._rng.getrandbits(1), "resp": self._rng.getrandbits(2)}
        for signal, value in shown.items():
            self._port(f"r{signal}").value = int(value)

    def _look_at_reads(self) -> None:
        burst = self._address("ar")
        if burst is not None:
            number = self.read_bursts.get(burst["id"], 0)
            self.read_bursts[burst["id"]] = number + 1
            self._reading.setdefault(burst["id"], deque()).append(
                [self._bench.cycle + self._latency, burst["addr"], burst["len"] + 1,
                 self.read_fails(burst["id"], number)])
        if self._beat is not None and int(self._port("rready").value):
            self._beat = None

    def _drive_writes(self) -> None:
        self._set_ready("aw")
        self._set_ready("w")
        if self._response is None and self._answers and self._answers[0][0] <= self._bench.cycle and not self._stalls():
            self._response = self._answers.popleft()[1]
        self._port("bvalid").value = int(self._response is not None)
        self._port("bresp").value = int(self._rng.getrandbits(2) if self._response is None else self._response)
        self._port("bid").value = 0

    def _look_at_writes(self) -> None:
        burst = self._address("aw")
        if burst is not None:
            self._writing.append([burst["addr"], burst["len"] + 1, self.write_fails(self.written_bursts)])
            self.written_bursts += 1
        beat = self._taken("w", ("data", "strb", "last"))
        if beat is not None:
            self._early.append((beat["data"], beat["strb"], beat["last"]))
        while self._writing and self._early:
            current = self._writing[0]
            data, strobes, last = self._early.popleft()
            current[1] -= 1
            assert last == int(current[1] == 0), "wlast must mark the last beat of a burst and no other"
            if not current[2]:
                self.write(current[0], data, strobes)
            current[0] += self._beat_bytes
            if last:
                response = Response.SLVERR if current[2] else Response.OKAY
                self._answers.append((self._bench.cycle + self._latency, response))
                self._writing.popleft()
        if self._response is not None and int(self._port("bready").value):
            self._response = None
