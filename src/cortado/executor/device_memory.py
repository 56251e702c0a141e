"""A device's memory as a network uses it: maps come and go, weights stay."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from cortado.device.buffer import Buffer
from cortado.device.device import Device
from cortado.engines.device_job import DeviceJob
from cortado.errors import DeviceMemoryError
from cortado.executor.traffic import NO_TRAFFIC, Traffic


@dataclass(kw_only=True)
class _Resident:
    """Weights on the device, and how many jobs need them there."""

    job: DeviceJob = field(repr=False)
    buffer: Buffer
    users: int = 0


class DeviceMemory:
    """Buffers of a device. Weights stay between jobs until they are in the way or the device is programmed anew.

    Any thread may call any method.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self._lock = threading.RLock()
        # By the job they belong to; those used longest ago come first.
        self._residents: dict[int, _Resident] = {}
        # How many hold a buffer beside the first one.
        self._shares: Counter[Buffer] = Counter()

    def allocate(self, size: int) -> Buffer:
        """`size` bytes, for which weights make room that no job needs now; `DeviceMemoryError` when there is none."""
        with self._lock:
            while True:
                try:
                    return self.device.allocate(size)
                except DeviceMemoryError:
                    if not self._evict():
                        raise

    def put(self, data: np.ndarray) -> Buffer:
        """A new buffer with those bytes."""
        buffer = self.allocate(data.nbytes)
        try:
            self.device.write(buffer, data)
        except BaseException:
            self.free(buffer)
            raise
        return buffer

    def share(self, buffer: Buffer) -> Buffer:
        """The buffer for one more, who gives it back too."""
        with self._lock:
            self._shares[buffer] += 1
        return buffer

    def free(self, buffer: Buffer) -> None:
        """Give a buffer back, for good if nobody shares it; nothing is to be done for one whose content is gone."""
        with self._lock:
            if self._shares[buffer]:
                self._shares[buffer] -= 1
                return
            del self._shares[buffer]
        if self.holds(buffer):
            self.device.free(buffer)

    def holds(self, buffer: Buffer) -> bool:
        """Whether the device is still what it was when the buffer was taken."""
        return buffer.generation == self.device.generation

    @contextmanager
    def weights(self, job: DeviceJob, data: np.ndarray) -> Iterator[tuple[Buffer, Traffic]]:
        """The weights `data` of a job on the device while the block runs, and what it took to have them there."""
        with self._lock:
            resident, traffic = self._residents.pop(id(job), None), Traffic.spared(data.nbytes)
            if resident is None or not self.holds(resident.buffer):
                resident, traffic = _Resident(job=job, buffer=self.put(data)), Traffic.up(data.nbytes)
            if not data.nbytes:
                traffic = NO_TRAFFIC
            self._residents[id(job)] = resident
            resident.users += 1
        try:
            yield resident.buffer, traffic
        finally:
            with self._lock:
                resident.users -= 1

    def close(self) -> None:
        """Give all weights back."""
        with self._lock:
            while self._residents:
                _, resident = self._residents.popitem()
                self.free(resident.buffer)

    def _evict(self) -> bool:
        """Give back weights nobody needs now; whether there were some."""
        for key, resident in self._residents.items():
            if not resident.users:
                del self._residents[key]
                self.free(resident.buffer)
                return True
        return False
