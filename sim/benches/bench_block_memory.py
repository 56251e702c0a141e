"""A memory of block RAM against the AXI4 master of cocotbext-axi and a byte array."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import cocotb
from benches.case import CASES
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiReadBus, AxiWriteBus
from cocotbext.axi.axi_master import AxiMasterRead, AxiMasterWrite

from cortado.boards.block_memory import BlockMemory
from cortado.gateware.axi import Response

CLOCK_STEPS = 10
ACCESSES = 60
LARGEST_BYTES = 100
# cocotbext-axi tells of every transfer, and still uses what cocotb 2 deprecates.
QUIET = {"cocotb": logging.WARNING, "py.warnings": logging.ERROR}
DELAYS = {"free": 0.0, "delayed": 0.4}


def part(**case: int) -> BlockMemory:
    """The circuit of one case."""
    return BlockMemory(**case)


def pauses(seed: str, delay: float) -> Iterator[bool]:
    """Whether a channel is held back, cycle by cycle."""
    rng = random.Random(seed)
    while True:
        yield rng.random() < delay


class MemoryBench:
    """The memory, its two masters and its word port."""

    def __init__(self, dut: SimHandleBase, case: str, delay: float) -> None:
        for name, level in QUIET.items():
            logging.getLogger(name).setLevel(level)
        for port in ("reads", "writes"):
            logging.getLogger(f"cocotb.{dut._name}.{case}__{port}_").setLevel(logging.ERROR)
        self.dut, self.case, self.rng = dut, case, random.Random(f"{case} {delay}")
        self.size = CASES[case]["size_bytes"]
        cocotb.start_soon(Clock(dut.clk, CLOCK_STEPS, "step").start())
        self.reads = AxiMasterRead(AxiReadBus.from_prefix(dut, f"{case}__reads_"), dut.clk, dut.rst)
        self.writes = AxiMasterWrite(AxiWriteBus.from_prefix(dut, f"{case}__writes_"), dut.clk, dut.rst)
        for port, names in ((self.reads, ("ar", "r")), (self.writes, ("aw", "w", "b"))):
            for name in names:
                if delay:
                    getattr(port, f"{name}_channel").set_pause_generator(pauses(f"{case} {name}", delay))
        self.word("valid").value = 0

    def word(self, name: str) -> object:
        """A signal of the word port."""
        return getattr(self.dut, f"{self.case}__word__{name}")

    async def reset(self) -> None:
        """The reset port, for some cycles."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 4)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    async def access(self, address: int, data: int | None = None) -> tuple[int, bool]:
        """A word read, or written where there is data; and whether it was refused."""
        for name, value in (("valid", 1), ("write", int(data is not None)), ("address", address), ("data", data or 0)):
            self.word(name).value = value
        while True:
            await RisingEdge(self.dut.clk)
            if int(self.word("done").value):
                break
        answer, failed = int(self.word("answer").value), bool(int(self.word("failed").value))
        self.word("valid").value = 0
        await RisingEdge(self.dut.clk)
        return answer, failed


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS))
async def what_is_written_is_read(dut: SimHandleBase, case: str, delay: str) -> None:
    """By either port, also while the other one is at work elsewhere."""
    bench = MemoryBench(dut, case, DELAYS[delay])
    await bench.reset()
    # What the test before this one wrote is still there.
    content = bytearray(bench.size)
    await bench.writes.write(0, bytes(content))
    half = bench.size // 2
    for _ in range(ACCESSES):
        count = bench.rng.randint(1, LARGEST_BYTES)
        first = bench.rng.randrange(half - count)
        data = bench.rng.randbytes(count)
        # Single bytes too: the strobes count.
        write = cocotb.start_soon(bench.writes.write(first, data))
        place, number = half + 4 * bench.rng.randrange(half // 4), bench.rng.getrandbits(32)
        assert not (await bench.access(place, number))[1]
        assert (await write).resp == Response.OKAY
        content[first:first + count] = data
        content[place:place + 4] = number.to_bytes(4, "little")
        begin = bench.rng.randrange(half - count)
        read = cocotb.start_soon(bench.reads.read(begin, count))
        assert await bench.access(place) == (number, False)
        answer = await read
        assert (answer.resp, answer.data) == (Response.OKAY, bytes(content[begin:begin + count]))
    assert (await bench.reads.read(0, bench.size)).data == bytes(content)


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS))
async def what_lies_beyond_is_refused(dut: SimHandleBase, case: str, delay: str) -> None:
    bench = MemoryBench(dut, case, DELAYS[delay])
    await bench.reset()
    await bench.writes.write(0, bytes(bench.size))
    for address in (bench.size, 2 * bench.size, 2**31):
        assert (await bench.reads.read(address, 40)).resp == Response.SLVERR
        assert (await bench.writes.write(address, bytes([255] * 40))).resp == Response.SLVERR
        assert (await bench.access(address, 2**32 - 1))[1]
        assert (await bench.access(address))[1]
    assert (await bench.reads.read(0, bench.size)).data == bytes(bench.size)
