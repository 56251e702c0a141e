"""Drivers and checkers of `amaranth.lib.stream` ports, one clock cycle at a time.

Each cycle has two halves. In the first every driver sets its signals and the circuit settles; then every stream is
looked at. In the second the clock rises. So no driver races the clock, whatever the simulator.
"""

from __future__ import annotations

import random
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from amaranth.lib import wiring
from benches.payload import Plain, junk, pack, unpack
from cocotb.handle import LogicObject, SimHandleBase
from cocotb.triggers import Timer

# Cycles a bench waits after the last expected transfer: longer than any part can hold something back.
QUIET_CYCLES = 100


@dataclass(frozen=True, kw_only=True)
class StallProfile:
    """How often each side of the streams is held back, and for how many cycles at most at a time."""

    source: float = 0.0
    sink: float = 0.0
    longest: int = 1
    patient: bool = False
    """Sinks become ready only after they have seen valid: a circuit whose valid waits for ready hangs."""


PROFILES = {
    "free": StallProfile(),
    "starved": StallProfile(source=0.7, longest=3),
    "pressed": StallProfile(sink=0.7, longest=3, patient=True),
    "ragged": StallProfile(source=0.5, sink=0.5, longest=24),
}


class Stalls:
    """A seeded random sequence of held and free cycles."""

    def __init__(self, rng: random.Random, probability: float, longest: int) -> None:
        self._rng, self._probability, self._longest = rng, probability, longest
        self._held, self._left = False, 0

    def next(self) -> bool:
        """Whether the stream is held back in the next cycle."""
        if self._left == 0:
            self._held = self._rng.random() < self._probability
            self._left = self._rng.randint(1, self._longest)
        self._left -= 1
        return self._held


class InOrderChecker:
    """Compares what comes with what is expected, in order and at once.

    `clean` takes out of a payload what has no meaning; everything has where it is not given.
    """

    def __init__(self, name: str, shape: object, clean: Callable[[Plain], Plain] = lambda value: value) -> None:
        self.name, self._shape, self._clean = name, shape, clean
        self._expected: deque[int] = deque()
        self.received = 0

    def expect(self, *values: Plain) -> None:
        """Adds expected payloads."""
        self._expected.extend(pack(self._shape, value) for value in values)

    def receive(self, bits: int) -> None:
        """Takes one payload; fails where it is not the one expected, or none is."""
        value = self._clean(unpack(self._shape, bits))
        assert self._expected, f"{self.name}: transfer {self.received} must not come: {value}"
        expected = self._expected.popleft()
        assert pack(self._shape, value) == expected, (
            f"{self.name}: transfer {self.received} must be {unpack(self._shape, expected)}, not {value}")
        self.received += 1

    @property
    def drained(self) -> bool:
        """Whether everything expected has come."""
        return not self._expected


class StreamSource:
    """Sends payloads into a stream of the circuit; between them the payload is junk."""

    def __init__(self, name: str, shape: object, ports: tuple[SimHandleBase, ...], stalls: Stalls,
                 rng: random.Random) -> None:
        self.name, self.shape, self._stalls, self._rng = name, shape, stalls, rng
        self._payload, self._valid, self._ready = ports
        self._queue: deque[tuple[int, Callable[[], None] | None]] = deque()
        self._offered = False
        self.sent = 0

    def send(self, *values: Plain) -> None:
        """Adds payloads to be sent."""
        self._queue.extend((pack(self.shape, value), None) for value in values)

    def send_then(self, value: Plain, sent: Callable[[], None]) -> None:
        """Adds a payload and what is to happen when it has been taken."""
        self._queue.append((pack(self.shape, value), sent))

    def forget(self) -> None:
        """Drops what is left to send, as a circuit that is reset does."""
        self._queue.clear()
        self._offered = False

    @property
    def drained(self) -> bool:
        """Whether everything has been taken."""
        return not self._queue

    @property
    def left(self) -> int:
        """Payloads that have not been taken."""
        return len(self._queue)

    @property
    def state(self) -> str:
        """For messages."""
        return f"{self.name}: {self.sent} sent, {len(self._queue)} left"

    def drive(self) -> None:
        """First half of a cycle: what is offered stays until taken."""
        if not self._offered:
            self._offered = bool(self._queue) and not self._stalls.next()
            self._payload.value = self._queue[0][0] if self._offered else junk(self.shape, self._rng)
            self._valid.value = int(self._offered)

    def look(self) -> None:
        """Second half: whether it is taken."""
        if self._offered and int(self._ready.value):
            self._offered = False
            self.sent += 1
            sent = self._queue.popleft()[1]
            if sent is not None:
                sent()


class StreamSink:
    """Takes payloads out of a stream of the circuit, and watches that valid and payload hold until taken."""

    def __init__(self, name: str, ports: tuple[SimHandleBase, ...], stalls: Stalls, patient: bool,
                 receive: Callable[[int], None]) -> None:
        self.name, self._stalls, self._patient, self.receive = name, stalls, patient, receive
        self._payload, self._valid, self._ready = ports
        self._seen: int | None = None
        self._takes = False
        self.received = 0
        self.open = False
        """Always ready, whatever the stalls."""

    @property
    def state(self) -> str:
        """For messages."""
        return f"{self.name}: {self.received} received"

    def drive(self) -> None:
        """First half of a cycle."""
        held = self._stalls.next() or (self._patient and self._seen is None)
        self._takes = self.open or not held
        self._ready.value = int(self._takes)

    def look(self) -> None:
        """Second half: int() of an unknown value fails, so neither valid nor a valid payload may be X."""
        valid = int(self._valid.value)
        if self._seen is not None:
            assert valid, f"{self.name}: valid must hold until the payload is taken"
        if not valid:
            return
        payload = int(self._payload.value)
        assert self._seen in (None, payload), f"{self.name}: the payload must hold until it is taken"
        self._seen = None if self._takes else payload
        if self._takes:
            self.received += 1
            self.receive(payload)


class Bench:
    """One part of a group (see `benches.case`): its clock, reset, streams and plain ports.

    `part` is the component as Python sees it and gives the shapes of the payloads; `prefix` names it in the group.
    """

    def __init__(self, dut: SimHandleBase, prefix: str, part: wiring.Component, profile: str) -> None:
        self._dut, self._prefix, self._part = dut, prefix, part
        self._profile = PROFILES[profile]
        self.rng = random.Random(f"{prefix} {profile}")
        self.sources: list[StreamSource] = []
        self.sinks: list[StreamSink] = []
        self.checkers: list[InOrderChecker] = []
        self.on_drive: list[Callable[[], None]] = []
        """What else sets signals in the first half of a cycle."""
        self.on_look: list[Callable[[], None]] = []
        """What else looks at signals in the second half of a cycle."""
        self.cycle = 0

    def port(self, name: str) -> LogicObject:
        """A port of the part; a dot goes into an interface."""
        return getattr(self._dut, f"{self._prefix}__{name.replace('.', '__')}")

    def shape(self, name: str) -> object:
        """The shape of a stream's payload."""
        return getattr(self._part, name).payload.shape()

    def source(self, name: str) -> StreamSource:
        """The driver of an input stream."""
        source = StreamSource(name, self.shape(name), self._ports(name), self._stalls(name, self._profile.source),
                              self._seeded(name, "junk"))
        self.sources.append(source)
        return source

    def sink(self, name: str, receive: Callable[[int], None]) -> StreamSink:
        """The driver of an output stream; `receive` is given the bits of each payload."""
        sink = StreamSink(name, self._ports(name), self._stalls(name, self._profile.sink), self._profile.patient,
                          receive)
        self.sinks.append(sink)
        return sink

    def checked(self, name: str, clean: Callable[[Plain], Plain] = lambda value: value) -> InOrderChecker:
        """The checker of an output stream, with its driver; `clean` as in `InOrderChecker`."""
        checker = InOrderChecker(name, self.shape(name), clean)
        self.checkers.append(checker)
        self.sink(name, checker.receive)
        return checker

    async def reset(self) -> None:
        """Two cycles of reset with junk on every stream."""
        for stream in self.sources + self.sinks:
            stream.drive()
        if hasattr(self._dut, "rst"):
            self._dut.rst.value = 1
            await self._clock()
            await self._clock()
            self._dut.rst.value = 0

    async def step(self) -> None:
        """One cycle."""
        for stream in self.sources + self.sinks:
            stream.drive()
        for drive in self.on_drive:
            drive()
        await self._low()
        for stream in self.sources + self.sinks:
            stream.look()
        for look in self.on_look:
            look()
        await self._high()
        self.cycle += 1

    async def run(self, limit_cycles: int, more: Callable[[], bool] = lambda: False) -> int:
        """Runs until everything has been sent and received and `more` says no; then nothing further may come.

        Returns the cycles of the first part. Fails after `limit_cycles`, naming what is left.
        """
        begin = self.cycle
        while more() or not all(end.drained for end in (*self.sources, *self.checkers)):
            if self.cycle - begin == limit_cycles:
                states = "; ".join(stream.state for stream in self.sources + self.sinks)
                missing = ", ".join(checker.name for checker in self.checkers if not checker.drained)
                raise AssertionError(f"the bench must end within {limit_cycles} cycles, not wait for "
                                     f"{missing or 'more'} ({states})")
            await self.step()
        cycles = self.cycle - begin
        for sink in self.sinks:
            sink.open = True
        for _ in range(QUIET_CYCLES):
            await self.step()
        for sink in self.sinks:
            sink.open = False
        return cycles

    def _ports(self, name: str) -> tuple[SimHandleBase, ...]:
        return tuple(self.port(f"{name}.{part}") for part in ("payload", "valid", "ready"))

    def _stalls(self, name: str, probability: float) -> Stalls:
        return Stalls(self._seeded(name, "stalls"), probability, self._profile.longest)

    def _seeded(self, *names: str) -> random.Random:
        return random.Random(zlib.crc32(" ".join((self._prefix, *names)).encode()))

    async def _clock(self) -> None:
        await self._low()
        await self._high()

    async def _low(self) -> None:
        if hasattr(self._dut, "clk"):
            self._dut.clk.value = 0
        await Timer(1, "step")

    async def _high(self) -> None:
        if hasattr(self._dut, "clk"):
            self._dut.clk.value = 1
        await Timer(1, "step")
