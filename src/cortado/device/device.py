"""One interface over everything that can run a job."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

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

    `memory` is the simulated memory (None: the default one, as wide as the engine's port), `max_cycles` ends a job that
    takes longer, `progress` is called with the cycles of the running job, `wave` is an FST file for the first job.
    """

    memory_bytes: int = DEFAULT_MEMORY_BYTES
    memory: MemoryModel | None = None
    max_cycles: int | None = None
    progress: Callable[[int], None] | None = None
    wave: Path | None = None


class Device(ABC):
    """Program it, allocate memory, copy, run jobs. A context manager; closing it gives everything back."""

    name: str

    def __init__(self, options: DeviceOptions) -> None:
        self.options = options

    @property
    def memory_model(self) -> MemoryModel | None:
        """The memory every figure of the device depends on; None for a device without a clock."""
        return None

    @abstractmethod
    def program(self, design: Design) -> None:
        """Load a circuit; jobs must be made for its configuration. Memory keeps nothing."""

    @abstractmethod
    def allocate(self, size: int) -> Buffer:
        """`size` bytes of memory; `DeviceError` when there is no room."""

    @abstractmethod
    def free(self, buffer: Buffer) -> None:
        """Give a buffer back."""

    @abstractmethod
    def write(self, buffer: Buffer, data: np.ndarray) -> None:
        """Copy the bytes of an array to the start of a buffer; `DeviceError` if they do not fit."""

    @abstractmethod
    def read(self, buffer: Buffer) -> np.ndarray:
        """The bytes of a buffer, uint8."""

    @abstractmethod
    def run(self, job: DeviceJob, *, source: Buffer, weights: Buffer, target: Buffer) -> Counters | None:
        """Run a job to its end; its cycles, or None from a device without a clock.

        Raises `DeviceError` when the job was made for another configuration than the one programmed, or when a buffer
        is too small for it.
        """

    @abstractmethod
    def close(self) -> None:
        """Give everything back."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()

    @staticmethod
    def require_buffers(allocator: Allocator, job: DeviceJob, *, source: Buffer, weights: Buffer,
                        target: Buffer) -> None:
        """Refuse buffers that are not taken or too small for a job."""
        for buffer, size in ((source, job.source_bytes), (weights, job.weights_bytes), (target, job.target_bytes)):
            allocator.require(buffer, size)

    def require_configuration(self, job: DeviceJob, programmed: str | None) -> None:
        """Refuse a job made for another configuration; `programmed` is the hash of the circuit, None without one."""
        if job.configuration_hash != programmed:
            raise DeviceError(f"device '{self.name}': layer '{job.layer}' needs configuration "
                              f"{job.configuration_hash}, not {programmed or 'none'}; program the device with the "
                              "engine of the plan")
