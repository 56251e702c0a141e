"""One interface over everything that can run a job."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from cortado.device.address import DeviceAddress
from cortado.device.buffer import Allocator, Buffer
from cortado.engines.design import Design
from cortado.engines.device_job import DeviceJob
from cortado.errors import DeviceError
from cortado.registry import Registry
from cortado.simulation.counters import Counters
from cortado.simulation.memory_model import MemoryModel

device_types: Registry[type[Device]] = Registry("device")

DEFAULT_MEMORY_BYTES = 256 * 2**20


@dataclass(frozen=True, kw_only=True)
class DeviceOptions:
    """What a device is opened with; a device heeds what concerns it.

    `memory_bytes` is the memory of a device that is not a board; `memory` is the simulated memory (None: the default
    one, as wide as the engine's port). `max_cycles` ends a job that takes longer, `timeout_s` one that takes more
    seconds (None: what the transport says). `progress` is called with the cycles of the running job, by the thread it
    runs in. `wave` is an FST file for the first job, or for the cycles of it in `wave_cycles`, first and last. A job's
    counters are looked at every `look_cycles` cycles and noted in its record. `token` opens a device somebody serves.
    """

    memory_bytes: int = DEFAULT_MEMORY_BYTES
    memory: MemoryModel | None = None
    max_cycles: int | None = None
    timeout_s: float | None = None
    progress: Callable[[int], None] | None = None
    wave: Path | None = None
    wave_cycles: tuple[int, int] | None = None
    look_cycles: int | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(eq=False, kw_only=True)
class JobRecord:
    """When a job ran, by `time.perf_counter`, and what its counters said meanwhile where somebody wanted to know."""

    layer: str
    begin: float = 0.0
    end: float = 0.0
    looks: list[tuple[float, Mapping[str, int]]] = field(default_factory=list)
    """The time of each look, and the counters by name; read one after the other while they count."""

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return self.end - self.begin


@dataclass(frozen=True, eq=False, kw_only=True)
class Ticket:
    """A job that was enqueued; `Device.wait` turns it into what the job counted."""

    layer: str
    number: int
    """Jobs of a device are numbered from 0 in the order they run."""
    reads: tuple[Buffer, ...]
    writes: Buffer
    future: Future[Counters | None]
    record: JobRecord

    @property
    def is_done(self) -> bool:
        """Whether the job has ended, well or not."""
        return self.future.done()


class Device(ABC):
    """Program it, allocate memory, copy, run jobs. A context manager; closing it gives everything back.

    Jobs run one after the other in a thread of the device, in the order they were enqueued. Any thread may call any
    method. Memory of a job that has not ended is out of reach: `write` and `free` wait for every job that uses the
    buffer, `read` for the one that writes it, `program` and `close` for all. After a failed job its result is unknown:
    a job that reads it fails too, until the buffer is written anew.
    """

    name: str

    def __init__(self, options: DeviceOptions, address: DeviceAddress | None = None) -> None:
        self.options = options
        self.generation = 0
        """Goes up whenever the content of the memory is lost; buffers of an earlier generation are gone."""
        self.programmings = 0
        """How often a circuit was really loaded."""
        self._lock = threading.RLock()
        self._programmed: str | None = None
        self._pending: list[Ticket] = []
        self._unknown: dict[Buffer, str] = {}
        self._jobs = 0
        self._worker: ThreadPoolExecutor | None = None
        self._stop = threading.Event()
        self._renew_memory()

    # What a kind of device is.

    @classmethod
    def require_address(cls, address: DeviceAddress) -> None:
        """Raise `DeviceError` unless a device of this kind can be at that address."""
        if address.place:
            raise DeviceError(f"device '{address}': {address.scheme} takes nothing behind its name")
        address.require_fields()

    @property
    def memory_bytes(self) -> int:
        """Size of the memory."""
        return self.options.memory_bytes

    @property
    def memory_base(self) -> int:
        """Address of its first byte."""
        return 0

    @property
    def memory_model(self) -> MemoryModel | None:
        """The memory every figure of the device depends on; None for a device without a clock."""
        return None

    @abstractmethod
    def _load(self, design: Design) -> None:
        """Load a circuit and check that it is the right one."""

    @abstractmethod
    def _write(self, buffer: Buffer, data: np.ndarray) -> None:
        """Copy uint8 bytes that fit to the start of a buffer."""

    @abstractmethod
    def _read(self, buffer: Buffer, size: int) -> np.ndarray:
        """The first bytes of a buffer, uint8, a copy."""

    @abstractmethod
    def _prepare(self, job: DeviceJob, source: Buffer, weights: Buffer, target: Buffer) -> Any:
        """Everything about a job that can be made before its turn."""

    @abstractmethod
    def _execute(self, prepared: Any, record: JobRecord) -> Counters | None:
        """Run a prepared job to its end, in the device's thread; give up soon after `_stop` is set.

        A device with counters notes its looks at them in the record.
        """

    @abstractmethod
    def _discard(self, prepared: Any) -> None:
        """Give back what `_prepare` took."""

    @abstractmethod
    def _release(self) -> None:
        """Give everything back at the end."""

    # What every device does.

    @property
    def configuration_hash(self) -> str | None:
        """Of the circuit the device is programmed with; None without one."""
        return self._programmed

    def program(self, design: Design) -> None:
        """Make the device that circuit; jobs must be made for its configuration.

        Does nothing, and memory stays, where the device already is that configuration. Otherwise every buffer is gone
        afterwards. Raises `DeviceError` where the device cannot become it; then it is programmed with nothing.
        """
        with self._lock:
            if design.configuration_hash == self._programmed:
                return
            self._settle(self._pending)
            self._programmed = None
            self._renew_memory()
            self._load(design)
            # A device may have learnt only now how much memory it has.
            self._allocator = self._new_allocator()
            self._programmed = design.configuration_hash
            self.programmings += 1

    def allocate(self, size: int) -> Buffer:
        """`size` bytes of memory; `DeviceError` when there is no room."""
        with self._lock:
            return self._allocator.allocate(size)

    def free(self, buffer: Buffer) -> None:
        """Give a buffer back, once no job uses it any more."""
        with self._lock:
            self._allocator.require(buffer)
            self._settle([ticket for ticket in self._pending if buffer in (*ticket.reads, ticket.writes)])
            self._allocator.free(buffer)
            self._unknown.pop(buffer, None)

    def write(self, buffer: Buffer, data: np.ndarray) -> None:
        """Copy the bytes of an array to the start of a buffer; `DeviceError` if they do not fit."""
        flat = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
        with self._lock:
            self._allocator.require(buffer, flat.size)
            self._settle([ticket for ticket in self._pending if buffer in (*ticket.reads, ticket.writes)])
            self._unknown.pop(buffer, None)
            self._write(buffer, flat)

    def read(self, buffer: Buffer) -> np.ndarray:
        """The bytes of a buffer, uint8."""
        with self._lock:
            self._allocator.require(buffer)
            self._settle([ticket for ticket in self._pending if buffer == ticket.writes])
            return self._read(buffer, buffer.size)

    def enqueue(self, job: DeviceJob, *, source: Buffer, weights: Buffer, target: Buffer) -> Ticket:
        """Let a job run after those enqueued before it; `wait` tells how it ended.

        Raises `DeviceError` when the job was made for another configuration than the one programmed, or when a buffer
        is too small for it.
        """
        with self._lock:
            self.require_configuration(job, self._programmed)
            for buffer, size in ((source, job.source_bytes), (weights, job.weights_bytes), (target, job.target_bytes)):
                self._allocator.require(buffer, size)
            prepared = self._prepare(job, source, weights, target)
            if self._worker is None:
                self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"device {self.name}")
            self._pending = [ticket for ticket in self._pending if not ticket.is_done]
            future: Future[Counters | None] = Future()
            ticket = Ticket(layer=job.layer, number=self._jobs, reads=(source, weights), writes=target, future=future,
                            record=JobRecord(layer=job.layer))
            self._jobs += 1
            self._pending.append(ticket)
            self._worker.submit(self._run_ticket, ticket, prepared)
            return ticket

    def wait(self, ticket: Ticket) -> Counters | None:
        """The cycles of an enqueued job once it has ended, or None from a device without a clock.

        Raises what went wrong in it. Ctrl-C meanwhile ends it and all behind it.
        """
        try:
            return ticket.future.result()
        except BaseException:
            if not ticket.is_done:
                self.abort()
            raise

    def run(self, job: DeviceJob, *, source: Buffer, weights: Buffer, target: Buffer) -> Counters | None:
        """Run a job to its end: `enqueue` and `wait`, with the errors of both."""
        return self.wait(self.enqueue(job, source=source, weights=weights, target=target))

    def abort(self) -> None:
        """End the running job and all enqueued ones; waiting for them raises `DeviceError`."""
        self._stop.set()
        try:
            self._settle(list(self._pending))
        finally:
            self._stop.clear()

    def close(self) -> None:
        """Wait for every job and give everything back."""
        with self._lock:
            self._settle(self._pending)
            if self._worker is not None:
                self._worker.shutdown()
                self._worker = None
            self._programmed = None
            self._renew_memory()
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if kind is not None:
            self.abort()
        self.close()

    def require_configuration(self, job: DeviceJob, programmed: str | None) -> None:
        """Refuse a job made for another configuration; `programmed` is the hash of the circuit, None without one."""
        if job.configuration_hash != programmed:
            raise DeviceError(f"device '{self.name}': layer '{job.layer}' needs configuration "
                              f"{job.configuration_hash}, not {programmed or 'none'}; program the device with the "
                              "engine of the plan")

    def _renew_memory(self) -> None:
        self.generation += 1
        self._unknown.clear()
        self._allocator = self._new_allocator()

    def _new_allocator(self) -> Allocator:
        return Allocator(self.memory_bytes, base=self.memory_base, generation=self.generation)

    def _settle(self, tickets: list[Ticket]) -> None:
        """Wait until these jobs have ended; how is told to whoever waits for them."""
        for ticket in tickets:
            ticket.future.exception()
        self._pending = [ticket for ticket in self._pending if not ticket.is_done]

    def _run_ticket(self, ticket: Ticket, prepared: Any) -> None:
        """In the device's thread: run a job and note how it ended."""
        try:
            if self._stop.is_set():
                raise DeviceError(f"device '{self.name}': layer '{ticket.layer}' was dropped: an earlier job or the "
                                  "caller ended the queue")
            for buffer in ticket.reads:
                if buffer in self._unknown:
                    raise DeviceError(f"device '{self.name}': layer '{ticket.layer}' must read the result of layer "
                                      f"'{self._unknown[buffer]}', whose job has failed")
            ticket.record.begin = time.perf_counter()
            result = self._execute(prepared, ticket.record)
            ticket.record.end = time.perf_counter()
        except BaseException as error:
            self._unknown[ticket.writes] = ticket.layer
            self._discard(prepared)
            ticket.future.set_exception(error)
        else:
            self._unknown.pop(ticket.writes, None)
            self._discard(prepared)
            ticket.future.set_result(result)


def open_device(address: str, options: DeviceOptions) -> Device:
    """The device at an address, as `--device` takes it: a name (`rtlsim`) or a URL (`remote://HOST:PORT`).

    Raises `DeviceError` for an address nobody knows, and what the device raises.
    """
    parsed = parse_address(address)
    return device_types[parsed.scheme](options, parsed)


def parse_address(text: str) -> DeviceAddress:
    """A device's address; `DeviceError` for one that is malformed or of an unknown scheme, listing the known ones."""
    parsed = DeviceAddress.parse(text)
    if parsed.scheme not in device_types:
        raise DeviceError(device_types.unknown(parsed.scheme))
    device_types[parsed.scheme].require_address(parsed)
    return parsed
