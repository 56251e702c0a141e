"""The registers of an engine, as its AXI4-Lite port shows them to the driver."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from cortado.gateware.cycle_counters import COUNTER_NAMES


class Register(IntEnum):
    """Byte offsets of the 32-bit registers.

    `DESCRIPTOR_ADDRESS` and `DESCRIPTOR_COUNT` stay as they are while a job runs. From `COUNTERS` on, each counter has
    eight bytes (low word first), in the order of `COUNTER_NAMES`.
    """

    IDENTITY = 0x00
    HASH_LOW = 0x04
    HASH_HIGH = 0x08
    CONTROL = 0x0C
    STATUS = 0x10
    ERROR = 0x14
    DESCRIPTOR_ADDRESS = 0x18
    DESCRIPTOR_COUNT = 0x1C
    INTERRUPT_ENABLE = 0x20
    INTERRUPT_STATUS = 0x24
    COUNTERS = 0x40


class Control(IntFlag):
    """Bits of the `CONTROL` register; each acts when written as 1."""

    START = 1
    """Run a job; refused while one runs."""
    RESET = 2
    """End the running job, if there is one, with the error `ABORTED`; else clear the last one's error."""


class Status(IntFlag):
    """Bits of the `STATUS` register."""

    BUSY = 1
    DONE = 2
    """The last job ended well."""
    ERROR = 4
    """The `ERROR` register holds a code."""


class Interrupt(IntFlag):
    """Bits of `INTERRUPT_ENABLE` and `INTERRUPT_STATUS`; a bit of the latter is cleared by writing it as 1."""

    DONE = 1
    """A job ended well."""
    ERROR = 2
    """A job ended with an error."""


def counter_registers(name: str) -> tuple[int, int]:
    """Offsets of the low and the high word of a counter."""
    low = Register.COUNTERS + 8 * COUNTER_NAMES.index(name)
    return low, low + 4
