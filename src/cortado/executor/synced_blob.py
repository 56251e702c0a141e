"""A value of the network that knows where its newest copies are."""

from __future__ import annotations

from enum import Enum

import numpy as np

from cortado.device.buffer import Buffer
from cortado.executor.device_memory import DeviceMemory
from cortado.executor.traffic import Ledger, Traffic
from cortado.gateware.memory_layout import PackedLayout
from cortado.numerics.fixed_point import FixedPoint


class Head(Enum):
    """Who has a newest copy (Caffe's SyncedMemory)."""

    HOST = "host"
    DEVICE = "device"
    BOTH = "both"


class SyncedBlob:
    """One value: float32 or whole numbers on the host, packed maps on the device, or several of them.

    It is made once, in one form; another form is a copy that is made when it is asked for, and kept. `dims` are those
    of the network, (N, C, H, W) for maps; `number_format` and `scale` say what its numbers stand for. What the copies
    take goes into the `ledger`. One thread at a time uses a blob.
    """

    def __init__(self, dims: tuple[int, ...], memory: DeviceMemory, ledger: Ledger, *, number_format: FixedPoint,
                 scale: float | None, values: np.ndarray | None = None) -> None:
        self.dims = dims
        self._memory, self._ledger, self._format, self._scale = memory, ledger, number_format, scale
        self._values, self._numbers = values, None
        self._on_device: list[tuple[PackedLayout, Buffer]] = []
        # Bytes of a copy home that only a comparison has asked for so far, and of a result that nobody has.
        self._checked_bytes = self._unread_bytes = 0

    @property
    def head(self) -> Head:
        """Where it is."""
        on_host = self._values is not None or self._numbers is not None
        if not any(self._memory.holds(buffer) for _, buffer in self._on_device):
            return Head.HOST
        return Head.BOTH if on_host else Head.DEVICE

    def values(self) -> np.ndarray:
        """Float32, of shape `dims`."""
        numbers = self.numbers() if self._values is None or self._checked_bytes else None
        if self._values is None:
            self._values = self._format.dequantise(numbers, self._scale).astype(np.float32)
        return self._values

    def numbers(self, *, for_check: bool = False) -> np.ndarray:
        """Whole numbers of the format, of shape `dims`. `for_check` says that nobody but a comparison asks."""
        if self._numbers is None and self._values is not None:
            self._numbers = self._format.quantise(self._values, self._scale)
        elif self._numbers is None:
            layout, buffer = next(entry for entry in self._on_device if self._memory.holds(entry[1]))
            self._numbers = layout.unpack(self._memory.device.read(buffer)).reshape(self.dims)
            self._checked_bytes = layout.maps_bytes
        if self._checked_bytes and not for_check:
            # Somebody needs what has come home, for a comparison or just now: it is no copy for a comparison.
            self._ledger.add(Traffic.down(self._checked_bytes))
            self._checked_bytes = self._unread_bytes = 0
        return self._numbers

    def place(self, layout: PackedLayout, buffer: Buffer) -> None:
        """A job writes it into `buffer`, in that layout."""
        self._on_device.append((layout, buffer))
        self._unread_bytes = layout.maps_bytes

    def lies_in(self, buffer: Buffer) -> bool:
        """Whether `buffer` holds it."""
        return any(buffer == other for _, other in self._on_device) and self._memory.holds(buffer)

    def join(self, layout: PackedLayout, buffer: Buffer) -> None:
        """It is in `buffer`, in that layout, since others have written their parts of it there."""
        self._on_device.append((layout, buffer))

    def on_device(self, layout: PackedLayout, dims: tuple[int, int, int, int]) -> Buffer:
        """A buffer that holds it as maps of shape `dims` in that layout; packed and copied if it is not there yet."""
        for other, buffer in self._on_device:
            if other.canonical == layout.canonical and self._memory.holds(buffer):
                self._ledger.add(Traffic.spared(layout.maps_bytes))
                return buffer
        packed = layout.pack(self.numbers().reshape(dims))
        buffer = self._memory.put(packed)
        self._ledger.add(Traffic.up(buffer.size))
        self._on_device.append((layout, buffer))
        return buffer

    def leave_device(self) -> None:
        """Bring home what the device has made, unless it is there, and give its buffers back."""
        if self._unread_bytes or self.head is Head.DEVICE:
            self.numbers()
        self.release()

    def release(self) -> None:
        """Give its buffers back; what only the device has is lost."""
        if self._unread_bytes:
            self._ledger.add(Traffic.spared(self._unread_bytes) + Traffic(checked_bytes=self._checked_bytes))
            self._unread_bytes = self._checked_bytes = 0
        while self._on_device:
            self._memory.free(self._on_device.pop()[1])
