"""Boards under Linux: registers and memory are files.

Two kinds. UIO: an FPGA beside the processor (Zynq and such); /dev/uioN maps the registers and tells of interrupts, a
u-dma-buf device is the memory both share. XDMA: a card behind PCI Express with that driver; NAME_user maps the
registers, NAME_h2c_0 and NAME_c2h_0 move memory, NAME_events_0 tells of interrupts.

Sources: the Linux kernel's userspace-api "UIO Howto"; the README of ikwzm/udmabuf; the XDMA Linux driver of
Xilinx/dma_ip_drivers.
"""

from __future__ import annotations

import mmap
import os
import select
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cortado.device.address import DeviceAddress
from cortado.device.device import DeviceOptions, device_types
from cortado.device.transport import Transport
from cortado.device.transport_device import TransportDevice
from cortado.engines.design import Design
from cortado.errors import DeviceError
from cortado.gateware.register import Register
from cortado.gateware.winograd_engine import IDENTITY

REGISTER_BYTES = 4096
SYS = Path("/sys/class")


class MappedFile:
    """`size` bytes of a file, mapped; `DeviceError` when that cannot be."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = _opened(path, os.O_RDWR | os.O_SYNC)
        try:
            self._map = mmap.mmap(self._file, size)
        except (OSError, ValueError) as error:
            os.close(self._file)
            raise DeviceError(f"'{path}': {size} bytes of it must be mapped, not refuse ({error})") from None
        self.bytes = np.frombuffer(self._map, np.uint8)
        # One access of 32 bits for each word, as a register wants it.
        self.words = memoryview(self._map).cast("I")

    def close(self) -> None:
        """Unmap it."""
        self.words.release()
        del self.bytes
        self._map.close()
        os.close(self._file)


class BoardMemory(Protocol):
    """The memory a board shares with its host; addresses count from its first byte."""

    def read(self, offset: int, size: int) -> np.ndarray:
        """(size,) uint8, a copy."""

    def write(self, offset: int, data: np.ndarray) -> None:
        """Copy (size,) uint8 there."""

    def close(self) -> None:
        """Give it back."""


class SharedMemory:
    """Memory that is mapped, as u-dma-buf gives it."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = MappedFile(path, size)

    def read(self, offset: int, size: int) -> np.ndarray:
        """(size,) uint8, a copy."""
        return self._file.bytes[offset:offset + size].copy()

    def write(self, offset: int, data: np.ndarray) -> None:
        """Copy (size,) uint8 there."""
        self._file.bytes[offset:offset + data.size] = data

    def close(self) -> None:
        """Unmap it."""
        self._file.close()


class StreamedMemory:
    """Memory on a card: `to_card` and `from_card` are files whose positions are its addresses, from `base` on."""

    def __init__(self, to_card: Path, from_card: Path, base: int) -> None:
        self._to_card = _opened(to_card, os.O_WRONLY)
        try:
            self._from_card = _opened(from_card, os.O_RDONLY)
        except DeviceError:
            os.close(self._to_card)
            raise
        self._base = base

    def read(self, offset: int, size: int) -> np.ndarray:
        """(size,) uint8, a copy."""
        data = bytearray()
        while len(data) < size:
            data += self._moved("read", offset + len(data), os.pread, self._from_card, size - len(data))
        return np.frombuffer(data, np.uint8).copy()

    def write(self, offset: int, data: np.ndarray) -> None:
        """Copy (size,) uint8 there."""
        view, done = memoryview(np.ascontiguousarray(data)), 0
        while done < data.size:
            done += self._moved("written", offset + done, os.pwrite, self._to_card, view[done:])

    def close(self) -> None:
        """Close the files."""
        os.close(self._to_card)
        os.close(self._from_card)

    def _moved(self, verb: str, offset: int, move: Callable, file: int, what: object) -> Any:
        """What one call of the system moved, which may be less than asked for but not nothing."""
        try:
            moved = move(file, what, self._base + offset)
        except OSError as error:
            raise DeviceError(f"board memory: byte {offset} must be {verb}, not refuse with '{error.strerror}'"
                              ) from None
        if not moved:
            raise DeviceError(f"board memory: byte {offset} must be {verb}, not lie behind the end; is memory_bytes "
                              "right?")
        return moved


class LinuxBoard(Transport):
    """Registers mapped from a file, a memory, and interrupts from a file (None: the driver looks at the status).

    `rearms` is for UIO, which wants to be asked for every interrupt. The FPGA is programmed by other means: `program`
    checks what is loaded and says what to load.
    """

    def __init__(self, name: str, registers: MappedFile, memory: BoardMemory, memory_bytes: int, memory_base: int = 0,
                 interrupts: Path | None = None, rearms: bool = False) -> None:
        self._name, self._registers, self._memory = name, registers, memory
        self.memory_bytes, self.memory_base = memory_bytes, memory_base
        if memory_base % 4096 or memory_base + memory_bytes > 2**32 or memory_bytes < 1:
            raise DeviceError(f"{name}: the memory must start at a multiple of 4096 and end below 2**32, as the engine "
                              f"addresses it, not be {memory_bytes} bytes at {memory_base:#x}")
        self.interrupts = interrupts is not None
        self._rearms = rearms
        self._events = _opened(interrupts, os.O_RDWR) if interrupts else None

    def register_read(self, address: int) -> int:
        return self._registers.words[address // 4]

    def register_write(self, address: int, value: int) -> None:
        self._registers.words[address // 4] = value

    def memory_read(self, address: int, size: int) -> np.ndarray:
        return self._memory.read(self._offset(address, size), size)

    def memory_write(self, address: int, data: np.ndarray) -> None:
        self._memory.write(self._offset(address, data.size), data)

    def wait_interrupt(self, timeout_s: float, cycles: int | None = None) -> bool:
        if self._rearms:
            os.write(self._events, struct.pack("I", 1))
        ready, _, _ = select.select([self._events], [], [], timeout_s)
        if ready:
            os.read(self._events, 4)
        return bool(ready)

    def program(self, design: Design) -> None:
        """Check that the FPGA is this design already; `DeviceError` says what to load where it is not."""
        identity = self.register_read(Register.IDENTITY)
        found = self.register_read(Register.HASH_HIGH) << 32 | self.register_read(Register.HASH_LOW)
        if identity == IDENTITY and f"{found:016x}" == design.configuration_hash:
            return
        holds = f"configuration {found:016x}" if identity == IDENTITY else f"no engine (identity {identity:#010x})"
        raise DeviceError(f"{self._name}: the FPGA must be loaded with configuration {design.configuration_hash}, and "
                          f"it holds {holds}. Build the Verilog that 'cortado generate --engine ...' writes for "
                          f"{design.configuration}, load its bitstream with the board's own tool, and try again")

    def close(self) -> None:
        self._registers.close()
        self._memory.close()
        if self._events is not None:
            os.close(self._events)
            self._events = None

    def _offset(self, address: int, size: int) -> int:
        offset = address - self.memory_base
        if not 0 <= offset <= self.memory_bytes - size:
            raise DeviceError(f"{self._name}: the memory has {self.memory_bytes} bytes at {self.memory_base:#x}, not "
                              f"{size} bytes at {address:#x}")
        return offset


@device_types.register("uio")
class UioDevice(TransportDevice):
    """The driver over UIO and u-dma-buf: `uio:/dev/uio0?memory=/dev/udmabuf0`.

    Size and address of the memory come from the driver's files in /sys/class/u-dma-buf. `interrupts=no` where the
    engine's interrupt is not connected.
    """

    name = "uio"

    @classmethod
    def require_address(cls, address: DeviceAddress) -> None:
        _require_place(address, "uio:/dev/uio0?memory=/dev/udmabuf0")
        address.require_fields("memory", "interrupts")
        if "memory" not in address.fields:
            raise DeviceError(f"device '{address}': it must name the memory, as in {address}?memory=/dev/udmabuf0")
        _require_interrupts(address)

    @classmethod
    def open_transport(cls, options: DeviceOptions, address: DeviceAddress | None) -> LinuxBoard:
        return open_uio(address, SYS)


@device_types.register("xdma")
class XdmaDevice(TransportDevice):
    """The driver over an XDMA card: `xdma:/dev/xdma0?memory_bytes=1073741824`.

    `memory_base` is where the engine sees the card's memory, 0 unless given; `interrupts=no` where the engine's
    interrupt is not connected to the first user interrupt.
    """

    name = "xdma"

    @classmethod
    def require_address(cls, address: DeviceAddress) -> None:
        _require_place(address, "xdma:/dev/xdma0?memory_bytes=1073741824")
        address.require_fields("memory_bytes", "memory_base", "interrupts")
        if "memory_bytes" not in address.fields:
            raise DeviceError(f"device '{address}': it must say how much memory the card has, as in "
                              f"{address}?memory_bytes=1073741824")
        for name in ("memory_bytes", "memory_base"):
            whole_number(address.fields.get(name, "0"), f"device '{address}': {name}")
        _require_interrupts(address)

    @classmethod
    def open_transport(cls, options: DeviceOptions, address: DeviceAddress | None) -> LinuxBoard:
        return open_xdma(address)


def open_uio(address: DeviceAddress, sys: Path) -> LinuxBoard:
    """The board at a UIO address; `sys` is /sys/class. `DeviceError` for files that are not there or say nonsense."""
    memory, name = Path(address.fields["memory"]), f"device '{address}'"
    folder = sys / "u-dma-buf" / memory.name
    size, base = (whole_number(_text(folder / file), str(folder / file)) for file in ("size", "phys_addr"))
    place = Path(address.place)
    registers = MappedFile(place, REGISTER_BYTES)
    return LinuxBoard(name, registers, SharedMemory(memory, size), size, base,
                      None if address.fields.get("interrupts") == "no" else place, rearms=True)


def open_xdma(address: DeviceAddress) -> LinuxBoard:
    """The card at an XDMA address; `DeviceError` for files that are not there."""
    size, base = (whole_number(address.fields.get(field, "0"), field) for field in ("memory_bytes", "memory_base"))
    parts = {part: Path(f"{address.place}_{part}") for part in ("user", "h2c_0", "c2h_0", "events_0")}
    return LinuxBoard(f"device '{address}'", MappedFile(parts["user"], REGISTER_BYTES),
                      StreamedMemory(parts["h2c_0"], parts["c2h_0"], base), size, base,
                      None if address.fields.get("interrupts") == "no" else parts["events_0"])


def whole_number(text: str, what: str) -> int:
    """A number as people and /sys write it, decimal or 0x; `DeviceError` for anything else."""
    try:
        number = int(text.strip(), 0)
    except ValueError:
        number = -1
    if number < 0:
        raise DeviceError(f"{what}: it must be a whole number, as in 65536 or 0x10000, not '{text.strip()}'")
    return number


def _require_place(address: DeviceAddress, example: str) -> None:
    if not address.place.startswith("/"):
        raise DeviceError(f"device '{address}': it must name a file of the board, as in {example}")


def _require_interrupts(address: DeviceAddress) -> None:
    if address.fields.get("interrupts", "no") != "no":
        raise DeviceError(f"device '{address}': interrupts can be no, not {address.fields['interrupts']}")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise DeviceError(f"'{path}': it must say where the memory is, not refuse with '{error.strerror}'; is the "
                          "u-dma-buf driver loaded?") from None


def _opened(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags)
    except OSError as error:
        raise DeviceError(f"'{path}': it must be a file of the board that can be opened, not refuse with "
                          f"'{error.strerror}'") from None
