"""What devices without hardware share: their memory is arrays of this process, one for each buffer."""

from __future__ import annotations

import numpy as np

from cortado.device.address import DeviceAddress
from cortado.device.buffer import Buffer
from cortado.device.device import Device, DeviceOptions
from cortado.engines.design import Design
from cortado.engines.device_job import DeviceJob
from cortado.errors import DeviceError


class HostMemoryDevice(Device):
    """A device that keeps buffers as arrays and has no clock.

    Raises `DeviceError` when a wave is asked of it.
    """

    def __init__(self, options: DeviceOptions, address: DeviceAddress | None = None) -> None:
        if options.wave is not None:
            raise DeviceError(f"device '{self.name}': it has no clock and writes no wave; use --device rtlsim")
        self._contents: dict[Buffer, np.ndarray] = {}
        super().__init__(options, address)

    def allocate(self, size: int) -> Buffer:
        buffer = super().allocate(size)
        self._contents[buffer] = np.zeros(size, np.uint8)
        return buffer

    def free(self, buffer: Buffer) -> None:
        super().free(buffer)
        del self._contents[buffer]

    def _load(self, design: Design) -> None:
        self._contents.clear()

    def _write(self, buffer: Buffer, data: np.ndarray) -> None:
        self._contents[buffer][: data.size] = data

    def _read(self, buffer: Buffer, size: int) -> np.ndarray:
        return self._contents[buffer][:size].copy()

    def _prepare(self, job: DeviceJob, source: Buffer, weights: Buffer, target: Buffer) -> tuple:
        return job, self._contents[source], self._contents[weights], self._contents[target]

    def _discard(self, prepared: tuple) -> None:
        """Nothing was taken."""

    def _release(self) -> None:
        self._contents.clear()
