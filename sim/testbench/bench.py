"""Runs jobs of the generated engine and compares what it writes with golden vectors, to the bit.

The engine stands behind its AXI ports, as on a board: an AXI4-Lite master is its driver, an AXI4 RAM its memory. What
to run and what must come out is in vectors.json and the files it names, made by exact integer arithmetic on a host.
"""

from __future__ import annotations

import json
import logging
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import ClockCycles, RisingEdge, SimTimeoutError, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam
from monitor import Monitor

FOLDER = Path(os.environ.get("BENCH_FOLDER", Path(__file__).parent))
VECTORS = json.loads((FOLDER / "vectors.json").read_text())
REGISTERS, COUNTERS, CONTROL = VECTORS["registers"], VECTORS["counters"], VECTORS["control"]
STATUS, INTERRUPTS, ERRORS = VECTORS["status"], VECTORS["interrupts"], VECTORS["errors"]

CLOCK_STEPS = 10
# Cycles after a job in which nothing may happen at the ports.
QUIET_CYCLES = 64
# What the memory holds where nothing has been written: a job that reads it by mistake computes something else.
FILLING = 0xA5
# Chance that a channel of either port is held back in a cycle.
STALLS = {"free": 0.0, "stalled": 0.4}


@dataclass(frozen=True)
class Vector:
    """One job on one input: what lies in memory before, and what must lie there after."""

    job: dict
    name: str

    @property
    def loads(self) -> Iterator[tuple[int, bytes]]:
        """Address and content of everything the job reads."""
        for load in (*self.job["loads"], *self.job["inputs"][self.name]["loads"]):
            yield load["address"], (FOLDER / load["file"]).read_bytes()

    @property
    def expected(self) -> bytes:
        """The output, byte for byte."""
        return (FOLDER / self.job["inputs"][self.name]["expected_file"]).read_bytes()

    @property
    def counts(self) -> bytes:
        """For each byte of the output, 0xFF where it belongs to the map; what lies between the rows may be anything."""
        return (FOLDER / self.job["counts_file"]).read_bytes()


class Driver:
    """Reads and writes registers, and runs jobs with them."""

    def __init__(self, dut: SimHandleBase, stalls: float) -> None:
        self.dut = dut
        self.control = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi_control"), dut.clk, dut.rst)
        stall(self.control, stalls, "control")

    async def reset(self) -> None:
        """The reset port, for some cycles."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 4)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    async def read(self, name: str) -> int:
        """A register."""
        return await self._read(REGISTERS[name])

    async def counter(self, name: str) -> int:
        """A counter of the last job; the low word is read first."""
        low, high = COUNTERS[name]
        return await self._read(low) | await self._read(high) << 32

    async def write(self, name: str, value: int) -> None:
        """A register."""
        answer = await self.control.write(REGISTERS[name], value.to_bytes(4, "little"))
        assert answer.resp == 0, f"register {name}: {answer.resp.name}"

    async def start(self, job: dict) -> None:
        """Starts a job whose descriptors are in memory."""
        await self.write("DESCRIPTOR_ADDRESS", job["descriptors_address"])
        await self.write("DESCRIPTOR_COUNT", job["descriptor_count"])
        await self.write("INTERRUPT_ENABLE", INTERRUPTS["DONE"] | INTERRUPTS["ERROR"])
        await self.write("CONTROL", CONTROL["START"])

    async def end(self, limit_cycles: int) -> None:
        """Waits for the interrupt, takes note of it, and demands that the job ended well."""
        try:
            await with_timeout(RisingEdge(self.dut.irq), limit_cycles * CLOCK_STEPS, "step")
        except SimTimeoutError:
            raise AssertionError(f"the job must end within {limit_cycles} cycles") from None
        error = await self.read("ERROR")
        assert error == 0, f"the job must end without an error, not with {ERRORS.get(str(error), error)}"
        assert await self.read("STATUS") == STATUS["DONE"]
        assert await self.read("INTERRUPT_STATUS") == INTERRUPTS["DONE"]
        await self.write("INTERRUPT_STATUS", INTERRUPTS["DONE"])
        await ClockCycles(self.dut.clk, 2)
        assert not int(self.dut.irq.value), "the interrupt ends when it has been taken note of"

    async def _read(self, offset: int) -> int:
        answer = await self.control.read(offset, 4)
        assert answer.resp == 0, f"register {offset:#x}: {answer.resp.name}"
        return int.from_bytes(answer.data, "little")


class Model:
    """The memory as it must be after a job: the golden output in its place, and nothing else changed."""

    def __init__(self, vector: Vector, before: bytes) -> None:
        self._vector, self._before = vector, before

    def differences(self, after: bytes) -> list[int]:
        """The addresses of the bytes that are not what they must be."""
        first, expected, counts = self._vector.job["output_address"], self._vector.expected, self._vector.counts
        end = first + len(expected)
        wrong = [first + index for index, (byte, want, counted) in enumerate(
            zip(after[first:end], expected, counts, strict=True)) if counted and byte != want]
        for begin, stop in ((0, first), (end, len(after))):
            if after[begin:stop] != self._before[begin:stop]:
                wrong.extend(address for address in range(begin, stop) if after[address] != self._before[address])
        return wrong


class Bench:
    """The engine with its driver, its monitor and its memory; the checker is `run`."""

    def __init__(self, dut: SimHandleBase, stalls: float) -> None:
        # cocotbext-axi tells of every transfer, and still uses what cocotb 2 deprecates.
        for name, level in {f"cocotb.{dut._name}": logging.WARNING, "py.warnings": logging.ERROR}.items():
            logging.getLogger(name).setLevel(level)
        self.dut = dut
        cocotb.start_soon(Clock(dut.clk, CLOCK_STEPS, "step").start())
        self.driver, self.monitor = Driver(dut, stalls), Monitor(dut, "m_axi")
        self.memory = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.clk, dut.rst, size=VECTORS["memory_bytes"])
        stall(self.memory, stalls, "memory")

    async def identify(self) -> None:
        """The circuit must be the engine the jobs were made for."""
        identity = await self.driver.read("IDENTITY")
        assert identity == VECTORS["identity"], f"the identity must be {VECTORS['identity']:#x}, not {identity:#x}"
        low, high = await self.driver.read("HASH_LOW"), await self.driver.read("HASH_HIGH")
        found = f"{high << 32 | low:016x}"
        assert found == VECTORS["configuration_hash"], (
            f"the configuration must be {VECTORS['configuration_hash']}, not {found}")

    async def run(self, vector: Vector) -> None:
        """One job from loading to comparing."""
        self.memory.write(0, bytes([FILLING]) * VECTORS["memory_bytes"])
        for address, content in vector.loads:
            self.memory.write(address, content)
        model = Model(vector, bytes(self.memory.read(0, VECTORS["memory_bytes"])))
        await self.driver.start(vector.job)
        await self.driver.end(vector.job["limit_cycles"])
        bursts = self.monitor.bursts
        await ClockCycles(self.dut.clk, QUIET_CYCLES)
        assert self.monitor.drained, f"everything must be drained at the end of a job, not {self.monitor}"
        assert self.monitor.bursts == bursts, "no burst may follow the end of a job"
        wrong = model.differences(bytes(self.memory.read(0, VECTORS["memory_bytes"])))
        assert not wrong, (f"layer '{vector.job['layer']}', {vector.name}: {len(wrong)} bytes of memory are wrong, the "
                           f"first at {wrong[0]:#x}")
        counters = {name: await self.driver.counter(name) for name in COUNTERS}
        idle = sum(value for name, value in counters.items() if name.startswith("idle_"))
        assert counters["cycles"] == counters["busy"] + idle > 0, counters
        self.dut._log.warning("layer '%s', %s: %d bytes equal to the bit in %d cycles, %d busy", vector.job["layer"],
                              vector.name, len(vector.expected), counters["cycles"], counters["busy"])


def stall(port: object, probability: float, name: str) -> None:
    """Hold back every channel of a port at random; the seed is the name, so a run can be repeated."""
    for interface in (port.read_if, port.write_if):
        for channel in ("ar", "r", "aw", "w", "b"):
            if probability and hasattr(interface, f"{channel}_channel"):
                getattr(interface, f"{channel}_channel").set_pause_generator(pauses(f"{name} {channel}", probability))


def pauses(seed: str, probability: float) -> Iterator[bool]:
    """Whether a channel is held back, cycle by cycle."""
    rng = random.Random(seed)
    while True:
        yield rng.random() < probability


@cocotb.test()
@cocotb.parametrize(stalls=list(STALLS), job=[job["name"] for job in VECTORS["jobs"]])
async def a_job_equals_its_golden_vectors(dut: SimHandleBase, stalls: str, job: str) -> None:
    """On every input in turn, without a reset between them."""
    bench = Bench(dut, STALLS[stalls])
    await bench.driver.reset()
    await bench.identify()
    chosen = next(entry for entry in VECTORS["jobs"] if entry["name"] == job)
    for name in chosen["inputs"]:
        await bench.run(Vector(chosen, name))
