"""Registers: identity, what is written is read, interrupts are cleared by writing them."""

from __future__ import annotations

from cortado.conformance.bench import ConformanceBench
from cortado.conformance.check import NotApplicable, conformance_check
from cortado.device.transport import Transport
from cortado.device.transport_device import TransportDevice
from cortado.errors import MismatchError
from cortado.gateware.register import Control, Interrupt, Register, Status
from cortado.gateware.winograd_engine import IDENTITY


def transport_of(bench: ConformanceBench) -> Transport:
    """The transport of the device; `NotApplicable` for one without registers."""
    if not isinstance(bench.device, TransportDevice):
        raise NotApplicable(f"device '{bench.device.name}' has no registers")
    return bench.device.transport


def require_equal(what: str, found: int, expected: int) -> None:
    """Raise `MismatchError` unless a register reads as it must."""
    if found != expected:
        raise MismatchError(f"{what}: it must read {expected:#010x}, not {found:#010x}")


@conformance_check("registers", "identity, patterns, status at rest")
def check_registers(bench: ConformanceBench) -> str:
    """Every bit of the registers that hold what is written, and the ones that must not change."""
    transport = transport_of(bench)
    read, write = transport.register_read, transport.register_write
    hash_number = int(bench.engine.configuration.hash, 16)
    fixed = {Register.IDENTITY: IDENTITY, Register.HASH_LOW: hash_number % 2**32,
             Register.HASH_HIGH: hash_number >> 32, Register.CONTROL: 0}
    patterns = [0, 2**32 - 1, 0x55555555, 0xAAAAAAAA, *(1 << bit for bit in range(32)),
                *(2**32 - 1 - (1 << bit) for bit in range(32))]
    for pattern in patterns:
        # Two registers hold different words, so that one that answers for the other is found.
        write(Register.DESCRIPTOR_ADDRESS, pattern)
        write(Register.DESCRIPTOR_COUNT, pattern ^ 0xFFFFFFFF)
        require_equal("DESCRIPTOR_ADDRESS", read(Register.DESCRIPTOR_ADDRESS), pattern)
        require_equal("DESCRIPTOR_COUNT", read(Register.DESCRIPTOR_COUNT), pattern ^ 0xFFFFFFFF)
        for register, value in fixed.items():
            require_equal(register.name, read(register), value)
    write(Register.CONTROL, Control.RESET)
    require_equal("STATUS behind a reset at rest", read(Register.STATUS) & Status.BUSY, 0)
    require_equal("ERROR behind a reset at rest", read(Register.ERROR), 0)
    for enabled in range(4):
        write(Register.INTERRUPT_ENABLE, enabled)
        require_equal("INTERRUPT_ENABLE", read(Register.INTERRUPT_ENABLE), enabled)
    return f"{len(patterns)} patterns in two registers"


@conformance_check("interrupt", "a job raises its interrupt, and writing it clears it")
def check_interrupt(bench: ConformanceBench) -> str:
    """The driver's way to wait; without it every job takes until the next look at the status."""
    transport = transport_of(bench)
    if not transport.interrupts:
        raise NotApplicable("the transport has no interrupts; the driver looks at the status")
    lost = bench.device.lost_interrupts
    for number in range(3):
        bench.check_convolution(f"interrupt {number}", bench.convolution(3, 4), (1, 3, 12, 12))
        require_equal("INTERRUPT_STATUS behind a job", transport.register_read(Register.INTERRUPT_STATUS), 0)
        require_equal("INTERRUPT_ENABLE behind a job", transport.register_read(Register.INTERRUPT_ENABLE),
                      Interrupt.DONE | Interrupt.ERROR)
    if bench.device.lost_interrupts != lost:
        raise MismatchError(f"interrupt: {bench.device.lost_interrupts - lost} of 3 interrupts were lost")
    return "3 jobs, no interrupt lost"
