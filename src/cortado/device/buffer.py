"""Memory of a device, handed out in pieces."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from cortado.errors import DeviceError, DeviceMemoryError

# Buffers start on a page, which is a multiple of every beat.
ALIGNMENT = 4096


@dataclass(frozen=True)
class Buffer:
    """`size` bytes of a device's memory from byte `address` on, as the engine addresses it.

    `generation` says which content of the memory it belongs to: another configuration begins a new one.
    """

    address: int
    size: int
    generation: int = 0


class Allocator:
    """First fit over `size` bytes of memory from byte `base` on.

    A page at address 0 stays free, so that no buffer has that address. Every buffer carries `generation`. Any
    thread may call any method.
    """

    def __init__(self, size: int, *, base: int = 0, generation: int = 0) -> None:
        self._first = -(-max(base, ALIGNMENT) // ALIGNMENT) * ALIGNMENT
        self._size, self._end = size, base + size
        self._generation = generation
        self._taken: list[Buffer] = []
        self._lock = threading.RLock()

    def allocate(self, size: int) -> Buffer:
        """A buffer of at least `size` bytes; `DeviceMemoryError` when no gap is large enough."""
        needed = -(-max(size, 1) // ALIGNMENT) * ALIGNMENT
        address = self._first
        with self._lock:
            for index, taken in enumerate([*self._taken, Buffer(self._end, 0)]):
                if taken.address - address >= needed:
                    buffer = Buffer(address, size, self._generation)
                    self._taken.insert(index, buffer)
                    return buffer
                address = taken.address + -(-max(taken.size, 1) // ALIGNMENT) * ALIGNMENT
            used = sum(buffer.size for buffer in self._taken)
        raise DeviceMemoryError(f"device memory: {size} bytes do not fit; {used} of {self._size} bytes are taken. Use "
                                "a smaller batch or a device with more memory (--memory-mib)")

    def free(self, buffer: Buffer) -> None:
        """Give a buffer back; `DeviceError` if it is not taken."""
        with self._lock:
            self.require(buffer)
            self._taken.remove(buffer)

    def require(self, buffer: Buffer, size: int = 0) -> None:
        """Raise `DeviceError` unless the buffer is taken and holds `size` bytes."""
        place = f"device memory: the buffer at {buffer.address:#x} of {buffer.size} bytes"
        if buffer not in self._taken:
            raise DeviceError(f"{place} must be one that is taken, not one never allocated or given back already")
        if size > buffer.size:
            raise DeviceError(f"{place} must hold {size} bytes; allocate it that large")
