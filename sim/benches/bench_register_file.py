"""The registers against the AXI4-Lite master of cocotbext-axi."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import cocotb
from benches.case import CASES
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import ClockCycles, FallingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster

from cortado.gateware.axi import Response
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.register import Control, Interrupt, Register, Status, counter_registers
from cortado.gateware.register_file import RegisterFile

CLOCK_STEPS = 10
# cocotbext-axi tells of every transfer, and still uses what cocotb 2 deprecates.
QUIET = {"cocotb": logging.WARNING, "py.warnings": logging.ERROR}
DELAYS = {"free": 0.0, "delayed": 0.5}


def part() -> RegisterFile:
    """The circuit; there is one case."""
    return RegisterFile()


class RegisterBench:
    """A register file with its driver; counts pulses."""

    def __init__(self, dut: SimHandleBase, case: str, delay: float) -> None:
        for name, level in QUIET.items():
            logging.getLogger(name).setLevel(level)
        self.dut, self.case, self.rng = dut, case, random.Random(f"{case} {delay}")
        cocotb.start_soon(Clock(dut.clk, CLOCK_STEPS, "step").start())
        self.control = AxiLiteMaster(AxiLiteBus.from_prefix(dut, f"{case}__control_"), dut.clk, dut.rst)
        for channel in (self.control.write_if.aw_channel, self.control.write_if.w_channel,
                        self.control.write_if.b_channel, self.control.read_if.ar_channel,
                        self.control.read_if.r_channel):
            channel.set_pause_generator(self._pauses(delay))
        for name in ("busy", "done", "error", "ended", "identity", "configuration_hash",
                     *(f"counters__{name}" for name in COUNTER_NAMES)):
            self.port(name).value = 0
        self.pulses = {"start": 0, "reset": 0}
        cocotb.start_soon(self._count())

    def port(self, name: str) -> object:
        """A port of the part."""
        return getattr(self.dut, f"{self.case}__{name}")

    def _pauses(self, delay: float) -> Iterator[bool]:
        rng = random.Random(self.rng.getrandbits(32))
        while True:
            yield rng.random() < delay

    async def _count(self) -> None:
        while True:
            await FallingEdge(self.dut.clk)
            if not int(self.dut.rst.value):
                for name in self.pulses:
                    self.pulses[name] += int(self.port(name).value)

    async def reset(self) -> None:
        """The reset port."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 3)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    async def read(self, offset: int, response: Response = Response.OKAY) -> int:
        """A register, answered so."""
        answer = await self.control.read(offset, 4)
        assert answer.resp == response, f"{offset:#x}: {answer.resp}"
        return int.from_bytes(answer.data, "little")

    async def write(self, offset: int, value: int, response: Response = Response.OKAY, count: int = 4) -> None:
        """Some bytes from an offset on, answered so."""
        answer = await self.control.write(offset, value.to_bytes(count, "little"))
        assert answer.resp == response, f"{offset:#x}: {answer.resp}"

    async def end_job(self) -> None:
        """A cycle of `ended`."""
        self.port("ended").value = 1
        await ClockCycles(self.dut.clk, 1)
        self.port("ended").value = 0
        await ClockCycles(self.dut.clk, 2)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS))
async def what_the_engine_shows_is_read(dut: SimHandleBase, case: str, delay: str) -> None:
    bench = RegisterBench(dut, case, DELAYS[delay])
    await bench.reset()
    bench.port("identity").value = 0x12345678
    bench.port("configuration_hash").value = 0xFEDCBA9876543210
    bench.port("busy").value = 1
    assert await bench.read(Register.IDENTITY) == 0x12345678
    assert await bench.read(Register.HASH_LOW) == 0x76543210
    assert await bench.read(Register.HASH_HIGH) == 0xFEDCBA98
    assert await bench.read(Register.STATUS) == Status.BUSY
    bench.port("busy").value = 0
    bench.port("done").value = 1
    assert await bench.read(Register.STATUS) == Status.DONE
    bench.port("done").value = 0
    bench.port("error").value = 200
    assert await bench.read(Register.STATUS) == Status.ERROR
    assert await bench.read(Register.ERROR) == 200
    assert await bench.read(Register.CONTROL) == 0
    values = {name: bench.rng.getrandbits(48) for name in COUNTER_NAMES}
    for name, value in values.items():
        bench.port(f"counters__{name}").value = value
    for name, value in values.items():
        low, high = counter_registers(name)
        assert await bench.read(low) == value % 2**32
        # The counter goes on; the high word is that of the low word.
        bench.port(f"counters__{name}").value = bench.rng.getrandbits(48)
        assert await bench.read(high) == value >> 32


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS))
async def bytes_are_written_one_by_one(dut: SimHandleBase, case: str, delay: str) -> None:
    bench = RegisterBench(dut, case, DELAYS[delay])
    await bench.reset()
    for register in (Register.DESCRIPTOR_ADDRESS, Register.DESCRIPTOR_COUNT):
        expected = 0
        for _ in range(12):
            first = bench.rng.randrange(4)
            count = bench.rng.randint(1, 4 - first)
            value = bench.rng.getrandbits(8 * count)
            await bench.write(register + first, value, count=count)
            expected = expected & ~((1 << 8 * count) - 1 << 8 * first) | value << 8 * first
            assert await bench.read(register) == expected
            assert int(bench.port(register.name.lower()).value) == expected
    # A byte that is not the first of it starts nothing.
    await bench.write(Register.CONTROL + 1, 0xFF, count=1)
    assert bench.pulses == {"start": 0, "reset": 0}


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS))
async def start_and_reset_are_pulses(dut: SimHandleBase, case: str, delay: str) -> None:
    bench = RegisterBench(dut, case, DELAYS[delay])
    await bench.reset()
    await bench.write(Register.CONTROL, 0)
    assert bench.pulses == {"start": 0, "reset": 0}
    await bench.write(Register.CONTROL, Control.START)
    assert bench.pulses == {"start": 1, "reset": 0}
    bench.port("busy").value = 1
    await bench.write(Register.CONTROL, Control.START, Response.SLVERR)
    assert bench.pulses == {"start": 1, "reset": 0}
    for register in (Register.DESCRIPTOR_ADDRESS, Register.DESCRIPTOR_COUNT):
        await bench.write(register, 0x40, Response.SLVERR)
        assert await bench.read(register) == 0, "the list of a running job"
    await bench.write(Register.CONTROL, Control.RESET)
    assert bench.pulses == {"start": 1, "reset": 1}


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS))
async def what_is_not_there_is_refused(dut: SimHandleBase, case: str, delay: str) -> None:
    bench = RegisterBench(dut, case, DELAYS[delay])
    await bench.reset()
    end = counter_registers(COUNTER_NAMES[-1])[1] + 4
    for offset in (0x28, 0x3C, end, 0xFFC):
        await bench.read(offset, Response.SLVERR)
        await bench.write(offset, 0xFFFFFFFF, Response.SLVERR)
    for register in (Register.IDENTITY, Register.STATUS, Register.ERROR, Register.COUNTERS):
        await bench.write(register, 0xFFFFFFFF, Response.SLVERR)
    assert bench.pulses == {"start": 0, "reset": 0}


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS))
async def interrupts_stay_until_cleared(dut: SimHandleBase, case: str, delay: str) -> None:
    bench = RegisterBench(dut, case, DELAYS[delay])
    await bench.reset()
    await bench.end_job()
    assert await bench.read(Register.INTERRUPT_STATUS) == Interrupt.DONE
    assert int(bench.port("interrupt").value) == 0, "it is not enabled"
    await bench.write(Register.INTERRUPT_ENABLE, Interrupt.ERROR)
    assert await bench.read(Register.INTERRUPT_ENABLE) == Interrupt.ERROR
    assert int(bench.port("interrupt").value) == 0, "the other one is enabled"
    bench.port("error").value = 3
    await bench.end_job()
    assert await bench.read(Register.INTERRUPT_STATUS) == Interrupt.DONE | Interrupt.ERROR
    assert int(bench.port("interrupt").value) == 1
    await bench.write(Register.INTERRUPT_STATUS, Interrupt.DONE)
    assert await bench.read(Register.INTERRUPT_STATUS) == Interrupt.ERROR
    assert int(bench.port("interrupt").value) == 1
    await bench.write(Register.INTERRUPT_STATUS, Interrupt.ERROR)
    await ClockCycles(dut.clk, 2)
    assert int(bench.port("interrupt").value) == 0
