"""The device behind any transport: one driver for simulation, boards and what somebody serves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from cortado.device.address import DeviceAddress
from cortado.device.buffer import Buffer
from cortado.device.device import Device, DeviceOptions, JobRecord
from cortado.device.driver import Driver
from cortado.device.transport import SerialTransport, Transport
from cortado.engines.design import Design
from cortado.engines.device_job import DeviceJob
from cortado.errors import ConnectionLostError, DeviceError, DeviceTimeoutError
from cortado.gateware.descriptor import DESCRIPTOR_WORDS
from cortado.gateware.winograd_engine import IDENTITY
from cortado.simulation.counters import Counters
from cortado.simulation.memory_model import MemoryModel


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A job with its descriptors made: `words` are to lie in `descriptors`."""

    words: np.ndarray
    descriptors: Buffer


class TransportDevice(Device):
    """Runs jobs on the engine behind a transport, which it closes at the end."""

    name = "transport"

    def __init__(self, options: DeviceOptions, address: DeviceAddress | None = None, *,
                 transport: Transport | None = None) -> None:
        self.transport = SerialTransport(transport or self.open_transport(options, address))
        self._driver = Driver(self.transport)
        super().__init__(options, address)

    @classmethod
    def open_transport(cls, options: DeviceOptions, address: DeviceAddress | None) -> Transport:
        """The transport to a device of this kind at `address`; `DeviceError` where there is none."""
        raise DeviceError(f"device '{cls.name}': it must be given a transport")

    @property
    def memory_bytes(self) -> int:
        return self.transport.memory_bytes

    @property
    def memory_base(self) -> int:
        return self.transport.memory_base

    @property
    def memory_model(self) -> MemoryModel | None:
        """The parameters every figure of a simulated device depends on, once it is programmed."""
        return self.transport.memory_model

    @property
    def lost_interrupts(self) -> int:
        """Jobs whose end showed in the status register only."""
        return self._driver.lost_interrupts

    def _load(self, design: Design) -> None:
        """Program, and check that identity and configuration hash read back as they must."""
        self.transport.program(design)
        self._driver.is_usable = True
        identity, found = self._driver.identity()
        if identity != IDENTITY or found != design.configuration_hash:
            raise DeviceError(f"device '{self.name}': the engine must read back identity {IDENTITY:#010x} and "
                              f"configuration {design.configuration_hash}, not {identity:#010x} and {found}")

    def _write(self, buffer: Buffer, data: np.ndarray) -> None:
        with self._connection():
            self.transport.memory_write(buffer.address, data)

    def _read(self, buffer: Buffer, size: int) -> np.ndarray:
        with self._connection():
            return self.transport.memory_read(buffer.address, size)

    def _prepare(self, job: DeviceJob, source: Buffer, weights: Buffer, target: Buffer) -> _Prepared:
        words = np.concatenate([
            descriptor.encode(job.configuration_hash) for descriptor in job.descriptors(
                input_address=source.address, weights_address=weights.address, output_address=target.address)])
        return _Prepared(words=words, descriptors=self._allocator.allocate(words.nbytes))

    def _execute(self, prepared: _Prepared, record: JobRecord) -> Counters:
        options, transport = self.options, self.transport
        with self._connection():
            transport.memory_write(prepared.descriptors.address, prepared.words.view(np.uint8))
        try:
            return self._driver.run(
                prepared.descriptors.address, len(prepared.words) // DESCRIPTOR_WORDS, max_cycles=options.max_cycles,
                timeout_s=transport.timeout_s if options.timeout_s is None else options.timeout_s,
                progress=options.progress, stopped=self._stop.is_set, look_cycles=options.look_cycles,
                looked=lambda counts: record.looks.append((time.perf_counter(), counts)))
        finally:
            if not self._driver.is_usable:
                self._programmed = None

    def _discard(self, prepared: _Prepared) -> None:
        self._allocator.free(prepared.descriptors)

    def _release(self) -> None:
        self.transport.close()

    @contextmanager
    def _connection(self) -> Iterator[None]:
        """Memory is there while the device is programmed and its connection lasts."""
        if self._programmed is None:
            raise DeviceError(f"device '{self.name}': it must be programmed first; call program(design)")
        try:
            yield
        except (ConnectionLostError, DeviceTimeoutError):
            self._programmed = None
            raise
