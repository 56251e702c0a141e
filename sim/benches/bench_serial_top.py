"""An engine on a board, seen from its pins: a job over the serial line, equal to golden to the bit."""

from __future__ import annotations

import random

import cocotb
import numpy as np
from benches.bench_winograd_engine import Job, naive_layer, random_layer
from benches.case import CASES
from benches.number import int8_numbers
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.queue import Queue
from cocotb.triggers import FallingEdge, Timer

from cortado.boards.serial_bridge import ANSWER_BYTES, REFUSED, REGISTERS_BIT
from cortado.boards.serial_top import RESET_CYCLES, SerialTop
from cortado.engines.winograd import Winograd
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.descriptor import ErrorCode
from cortado.gateware.memory_layout import MapLayout
from cortado.gateware.register import Control, Interrupt, Register, Status
from cortado.gateware.weight_packing import pack_weights
from cortado.gateware.winograd_engine import IDENTITY

CLOCK_STEPS = 10
DIVISOR = 4
MEMORY_BYTES = 2**14
DESCRIPTORS, SOURCE, WEIGHTS, TARGET = range(0, MEMORY_BYTES, MEMORY_BYTES // 4)
JOB = Job(channels=3, filters=2, height=5, width=6, pad=(1, 1, 1, 1), rows=2, columns=3)


def part(**case: int) -> SerialTop:
    """The circuit of one case."""
    design = Winograd(configuration=WinogradConfiguration(**case)).design()
    return SerialTop(design.component(), beat_bits=design.beat_bits, memory_bytes=MEMORY_BYTES, divisor=DIVISOR)


class Host:
    """The other end of the line."""

    def __init__(self, dut: SimHandleBase, case: str) -> None:
        self._rx, self._tx = (getattr(dut, f"{case}__{name}") for name in ("rx", "tx"))
        self.led = getattr(dut, f"{case}__led")
        self._rx.value = 1
        self._received: Queue[int] = Queue()
        cocotb.start_soon(Clock(getattr(dut, f"{case}__clk"), CLOCK_STEPS, "step").start())
        cocotb.start_soon(self._receive())

    async def request(self, kind: str, address: int, data: int = 0) -> tuple[int, int]:
        """One request; the status and the word of its answer."""
        for byte in (ord(kind), *address.to_bytes(4, "little"), *data.to_bytes(4, "little")):
            for bit in (0, *(byte >> place & 1 for place in range(8)), 1):
                self._rx.value = bit
                await Timer(DIVISOR * CLOCK_STEPS, "step")
        answer = [await self._received.get() for _ in range(ANSWER_BYTES)]
        return answer[0], int.from_bytes(bytes(answer[1:]), "little")

    async def read(self, address: int) -> int:
        """A word, which must not be refused."""
        status, word = await self.request("R", address)
        assert status == 0, f"reading {address:#x} is refused"
        return word

    async def write(self, address: int, data: int) -> None:
        """A word, which must not be refused."""
        status, _ = await self.request("W", address, data)
        assert status == 0, f"writing {address:#x} is refused"

    async def register(self, register: int, value: int | None = None) -> int | None:
        """A register read, or written where there is a value."""
        address = register | 1 << REGISTERS_BIT
        return await self.read(address) if value is None else await self.write(address, value)

    async def store(self, address: int, content: np.ndarray) -> None:
        """Bytes, a whole number of words."""
        for index, word in enumerate(np.ascontiguousarray(content).view("<u4").tolist()):
            await self.write(address + 4 * index, word)

    async def load(self, address: int, size: int) -> np.ndarray:
        """So many bytes, a whole number of words."""
        return np.array([await self.read(address + place) for place in range(0, size, 4)], "<u4").view(np.uint8)

    async def _receive(self) -> None:
        while True:
            await FallingEdge(self._tx)
            byte = 0
            for place in range(8):
                await Timer((DIVISOR + (DIVISOR // 2 if place == 0 else 0)) * CLOCK_STEPS, "step")
                byte |= int(self._tx.value) << place
            await Timer(DIVISOR * CLOCK_STEPS, "step")
            assert int(self._tx.value), "a byte ends with a stop bit"
            self._received.put_nowait(byte)


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def a_job_over_the_line_equals_golden(dut: SimHandleBase, case: str) -> None:
    configuration, rng = WinogradConfiguration(**CASES[case]), random.Random(case)
    host = Host(dut, case)
    await Timer((RESET_CYCLES + 20) * CLOCK_STEPS, "step")
    assert await host.register(Register.IDENTITY) == IDENTITY
    low, high = await host.register(Register.HASH_LOW), await host.register(Register.HASH_HIGH)
    assert f"{high << 32 | low:016x}" == configuration.hash
    # Beyond the memory, and where there is no register.
    assert (await host.request("R", MEMORY_BYTES))[0] == REFUSED
    assert (await host.request("W", 1 << REGISTERS_BIT | 0xFFC, 1))[0] == REFUSED

    convolution = random_layer(rng, JOB)
    maps = int8_numbers(rng, (JOB.batch, JOB.channels, JOB.height, JOB.width)).astype(np.int8)
    source, target = (MapLayout(batch=JOB.batch, channels=channels, height=JOB.height, width=JOB.width, lanes=lanes,
                                beat_bytes=configuration.beat_bytes) for channels, lanes in (
        (JOB.channels, configuration.pc), (JOB.filters, configuration.pk)))
    blocking = JOB.blocking(configuration)
    descriptors = list(blocking.descriptors(source, target, input_address=SOURCE, weights_address=WEIGHTS,
                                            output_address=TARGET))
    words = np.concatenate([descriptor.encode(configuration.hash) for descriptor in descriptors])
    for address, content in ((DESCRIPTORS, words), (SOURCE, source.pack(maps)),
                             (WEIGHTS, pack_weights(convolution, convolution.weight, blocking))):
        await host.store(address, content)
    await host.register(Register.DESCRIPTOR_ADDRESS, DESCRIPTORS)
    await host.register(Register.DESCRIPTOR_COUNT, len(descriptors))
    await host.register(Register.INTERRUPT_ENABLE, Interrupt.DONE | Interrupt.ERROR)
    await host.register(Register.CONTROL, Control.START)
    while await host.register(Register.STATUS) & Status.BUSY:
        pass
    assert await host.register(Register.ERROR) == ErrorCode.NONE
    assert await host.register(Register.STATUS) == Status.DONE
    assert int(host.led.value), "the light says that a job has ended"
    result = target.unpack(await host.load(TARGET, target.size_bytes))
    np.testing.assert_array_equal(result, naive_layer(convolution, maps))
