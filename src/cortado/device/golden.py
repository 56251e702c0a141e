"""The golden device: exact integers on the host, without a clock."""

from __future__ import annotations

import numpy as np

from cortado.device.buffer import Allocator, Buffer
from cortado.device.device import Device, DeviceOptions, device_types
from cortado.engines.design import Design
from cortado.engines.device_job import DeviceJob
from cortado.errors import DeviceError


@device_types.register("golden")
class GoldenDevice(Device):
    """Runs the integer arithmetic of a job on its packed maps; what every other device must equal to the bit.

    Raises `DeviceError` when a wave is asked of it.
    """

    name = "golden"

    def __init__(self, options: DeviceOptions) -> None:
        super().__init__(options)
        if options.wave is not None:
            raise DeviceError("device 'golden': it has no clock and writes no wave; use --device rtlsim")
        self._allocator = Allocator(options.memory_bytes)
        self._contents: dict[Buffer, np.ndarray] = {}
        self._programmed: str | None = None

    def program(self, design: Design) -> None:
        self.close()
        self._programmed = design.configuration_hash

    def allocate(self, size: int) -> Buffer:
        buffer = self._allocator.allocate(size)
        self._contents[buffer] = np.zeros(size, np.uint8)
        return buffer

    def free(self, buffer: Buffer) -> None:
        self._allocator.free(buffer)
        del self._contents[buffer]

    def write(self, buffer: Buffer, data: np.ndarray) -> None:
        flat = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
        self._allocator.require(buffer, flat.size)
        self._contents[buffer][: flat.size] = flat

    def read(self, buffer: Buffer) -> np.ndarray:
        self._allocator.require(buffer)
        return self._contents[buffer].copy()

    def run(self, job: DeviceJob, *, source: Buffer, weights: Buffer, target: Buffer) -> None:
        self.require_configuration(job, self._programmed)
        self.require_buffers(self._allocator, job, source=source, weights=weights, target=target)
        self.write(target, job.result(self._contents[source][: job.source_bytes],
                                      self._contents[weights][: job.weights_bytes]))

    def close(self) -> None:
        self._allocator = Allocator(self.options.memory_bytes)
        self._contents.clear()
        self._programmed = None
