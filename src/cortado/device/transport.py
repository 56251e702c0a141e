"""What a board must give; `TransportDevice` makes a device of it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cortado.errors import DeviceError

if TYPE_CHECKING:
    from cortado.engines.design import Design
    from cortado.simulation.memory_model import MemoryModel


class Transport(ABC):
    """The way to one engine: its registers, the memory it shares with us, and how a circuit gets into the FPGA.

    A board needs the five abstract methods; docs/devices.md has an example. Registers are those of
    `gateware.register`, 32 bits each, at byte offsets. Memory addresses are those the engine uses: the first byte of
    the shared memory is at `memory_base`, a multiple of 4096, and all of it lies below 2**32.

    One thread at a time calls any method, not always the same thread, with one exception: `memory_read` and
    `memory_write` may be called while another thread is in `wait_interrupt`, for memory the running job does not use.

    Whatever fails raises `DeviceError` and says who, what was expected and what came.
    """

    memory_bytes: int
    """Size of the shared memory."""
    memory_base: int = 0
    interrupts: bool = False
    """Whether `wait_interrupt` waits for the engine's interrupt; else the driver looks at the status register."""
    timeout_s: float | None = 60.0
    """Longest a job may take on the wall clock unless the user says otherwise; None for no limit."""
    memory_model: MemoryModel | None = None
    """What the cycles of a simulated device depend on."""

    @abstractmethod
    def register_read(self, address: int) -> int:
        """The 32-bit register at byte offset `address`."""

    @abstractmethod
    def register_write(self, address: int, value: int) -> None:
        """Write the 32-bit register at byte offset `address`."""

    @abstractmethod
    def memory_read(self, address: int, size: int) -> np.ndarray:
        """`size` bytes of memory: (size,) uint8, a copy."""

    @abstractmethod
    def memory_write(self, address: int, data: np.ndarray) -> None:
        """Copy `data`, (size,) uint8, into memory."""

    @abstractmethod
    def program(self, design: Design) -> None:
        """Make the FPGA this circuit. The driver checks identity and configuration hash afterwards.

        A board that is programmed by other means says here what to load.
        """

    def wait_interrupt(self, timeout_s: float, cycles: int | None = None) -> bool:
        """Wait until the engine's interrupt is high, at most `timeout_s` seconds; whether it is.

        A transport that counts the engine's cycles also comes back after `cycles` of them; others need not heed it.
        Called only where `interrupts` is true.
        """
        raise DeviceError(f"transport {type(self).__name__}: interrupts must be false, or wait_interrupt be there")

    def reset(self) -> None:
        """Reset engine and registers from outside, where that is possible; memory stays as it is.

        The driver asks for it when the engine does not obey its reset register. `DeviceError` where there is no way.
        """
        raise DeviceError(f"transport {type(self).__name__}: the engine cannot be reset from outside; program it again")

    def diagnosis(self) -> str:
        """What the board itself can say about the job that just failed, or nothing."""
        return ""

    def close(self) -> None:  # noqa: B027 - most boards have nothing to give back
        """Give everything back."""

    def registers_read(self, addresses: Sequence[int]) -> list[int]:
        """Several registers, read in this order; for boards that are far away."""
        return [self.register_read(address) for address in addresses]


class SerialTransport(Transport):
    """A transport any thread may call: it lets one call at a time through, with the exception `Transport` makes."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        # Who waits for the engine keeps the others from it, but leaves the line to the memory free.
        self._engine, self._line = threading.Lock(), threading.Lock()

    @property
    def memory_bytes(self) -> int:
        return self.inner.memory_bytes

    @property
    def memory_base(self) -> int:
        return self.inner.memory_base

    @property
    def interrupts(self) -> bool:
        return self.inner.interrupts

    @property
    def timeout_s(self) -> float | None:
        return self.inner.timeout_s

    @property
    def memory_model(self) -> MemoryModel | None:
        return self.inner.memory_model

    def register_read(self, address: int) -> int:
        with self._engine, self._line:
            return self.inner.register_read(address)

    def registers_read(self, addresses: Sequence[int]) -> list[int]:
        with self._engine, self._line:
            return self.inner.registers_read(addresses)

    def register_write(self, address: int, value: int) -> None:
        with self._engine, self._line:
            self.inner.register_write(address, value)

    def memory_read(self, address: int, size: int) -> np.ndarray:
        with self._line:
            return self.inner.memory_read(address, size)

    def memory_write(self, address: int, data: np.ndarray) -> None:
        with self._line:
            self.inner.memory_write(address, data)

    def program(self, design: Design) -> None:
        with self._engine, self._line:
            self.inner.program(design)

    def wait_interrupt(self, timeout_s: float, cycles: int | None = None) -> bool:
        with self._engine:
            return self.inner.wait_interrupt(timeout_s, cycles)

    def reset(self) -> None:
        with self._engine, self._line:
            self.inner.reset()

    def diagnosis(self) -> str:
        with self._engine, self._line:
            return self.inner.diagnosis()

    def close(self) -> None:
        with self._engine, self._line:
            self.inner.close()
