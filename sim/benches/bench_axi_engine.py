"""The whole engine behind its AXI ports, against the master and the memory of cocotbext-axi, with delays and faults."""

from __future__ import annotations

import dataclasses
import logging
import random
from collections.abc import Iterator

import cocotb
import numpy as np
from benches.case import CASES
from benches.number import int8_numbers
from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam

from cortado.engines.job import Job
from cortado.engines.winograd import Winograd
from cortado.gateware.axi import Response
from cortado.gateware.axi_engine import AxiEngine
from cortado.gateware.configuration import WinogradConfiguration
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.descriptor import Descriptor, ErrorCode
from cortado.gateware.register import Control, Interrupt, Register, Status, counter_registers
from cortado.gateware.winograd_engine import IDENTITY, WinogradEngine
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution

MEMORY_BYTES = 1 << 16
REGION_BYTES = MEMORY_BYTES // 4
DESCRIPTORS, SOURCE, WEIGHTS, TARGET = range(0, MEMORY_BYTES, REGION_BYTES)
LIMIT_CYCLES = 30_000
CLOCK_STEPS = 10
# cocotbext-axi tells of every transfer and every refusal, and still uses what cocotb 2 deprecates.
QUIET = {"cocotb": logging.WARNING, "py.warnings": logging.ERROR}
# Chance that a channel is held back in a cycle.
DELAYS = {"free": 0.0, "delayed": 0.4}
REGIONS = {"descriptors": DESCRIPTORS, "activations": SOURCE, "weights": WEIGHTS, "results": TARGET}
CODES = {"descriptors": ErrorCode.DESCRIPTOR_READ_FAILED, "activations": ErrorCode.ACTIVATION_READ_FAILED,
         "weights": ErrorCode.WEIGHT_READ_FAILED, "results": ErrorCode.WRITE_FAILED}


def part(**case: int) -> AxiEngine:
    """The circuit of one case."""
    configuration = WinogradConfiguration(**case)
    return AxiEngine(WinogradEngine(configuration), beat_bits=configuration.beat_bits)


class FaultyRam(AxiRam):
    """A memory whose accesses to one region fail from a number on; a failed one does nothing."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.fails_in: str | None = None
        self.spared = 0
        for interface in (self.read_if, self.write_if):
            name = "_read" if interface is self.read_if else "_write"
            setattr(interface, name, self._judged(getattr(interface, name)))

    def _judged(self, access: object) -> object:
        async def judged(address: int, argument: object) -> object:
            if self.fails_in is not None and 0 <= address - REGIONS[self.fails_in] < REGION_BYTES:
                if self.spared == 0:
                    raise OSError(f"{self.fails_in}: refused")
                self.spared -= 1
            return await access(address, argument)
        return judged


class AxiBench:
    """An engine with its driver and its memory."""

    def __init__(self, dut: SimHandleBase, case: str, delay: float) -> None:
        for name, level in QUIET.items():
            logging.getLogger(name).setLevel(level)
        logging.getLogger(f"cocotb.{dut._name}.{case}__m_axi").setLevel(logging.ERROR)
        self.dut, self.prefix = dut, case
        self.rng = random.Random(f"{case} {delay}")
        self.engine = Winograd(configuration=WinogradConfiguration(**CASES[case]))
        cocotb.start_soon(Clock(dut.clk, CLOCK_STEPS, "step").start())
        self.control = AxiLiteMaster(AxiLiteBus.from_prefix(dut, f"{case}__s_axi_control"), dut.clk, dut.rst)
        self.memory = FaultyRam(AxiBus.from_prefix(dut, f"{case}__m_axi"), dut.clk, dut.rst, size=MEMORY_BYTES)
        for interface in (self.control.write_if, self.control.read_if, self.memory.write_if, self.memory.read_if):
            for name in ("aw", "w", "b", "ar", "r"):
                channel = getattr(interface, f"{name}_channel", None)
                if channel is not None and delay:
                    channel.set_pause_generator(self._pauses(name, delay))

    def _pauses(self, name: str, delay: float) -> Iterator[bool]:
        rng = random.Random(f"{self.prefix} {name} {self.rng.random()}")
        while True:
            yield rng.random() < delay

    async def reset(self) -> None:
        """The reset port, for some cycles."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 4)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    async def read(self, register: int) -> int:
        """A register."""
        answer = await self.control.read(register, 4)
        assert answer.resp == Response.OKAY, f"register {register:#x}: {answer.resp}"
        return int.from_bytes(answer.data, "little")

    async def write(self, register: int, value: int) -> None:
        """A register."""
        answer = await self.control.write(register, value.to_bytes(4, "little"))
        assert answer.resp == Response.OKAY, f"register {register:#x}: {answer.resp}"

    def job(self, batch: int = 1, channels: int = 3, filters: int = 2, height: int = 7, width: int = 6) -> Job:
        """A random layer."""
        generator = np.random.default_rng(self.rng.getrandbits(32))
        convolution = IntegerConvolution(
            weight=int8_numbers(self.rng, (filters, channels, 3, 3), "random").astype(np.int8),
            bias=generator.integers(-2**14, 2**14, filters).astype(np.int32),
            multiplier=generator.integers(2**15, 2**16, filters).astype(np.uint16),
            shift=generator.integers(20, 26, filters).astype(np.uint8), pad=(1, 1, 1, 1), relu=False)
        return self.engine.job("layer", convolution, TensorShape((batch, channels, height, width)))

    def load(self, job: Job) -> np.ndarray:
        """Puts input, weights and descriptors of a job into the memory; what the output must be, as bytes there."""
        shape, source = job.shape, job.source
        x = int8_numbers(self.rng, (shape.batch, shape.channels, shape.height, shape.width), "random").astype(np.int8)
        self.memory.write(0, bytes([0xA5]) * MEMORY_BYTES)
        for address, content in ((SOURCE, source.pack(x)), (WEIGHTS, job.weights),
                                 (DESCRIPTORS, self.words(self.descriptors(job)))):
            content = np.ascontiguousarray(content).reshape(-1).view(np.uint8)
            assert content.size <= REGION_BYTES, f"{content.size} bytes are too many for a region"
            self.memory.write(address, content.tobytes())
        return job.convolution.golden(x)

    def descriptors(self, job: Job) -> list[Descriptor]:
        """The blocks of a job."""
        return list(job.descriptors(input_address=SOURCE, weights_address=WEIGHTS, output_address=TARGET))

    def words(self, descriptors: list[Descriptor]) -> np.ndarray:
        """As they lie in memory."""
        return np.concatenate([descriptor.encode(self.engine.configuration.hash) for descriptor in descriptors])

    async def start(self, count: int) -> None:
        """Starts the job whose descriptors are in memory."""
        await self.write(Register.DESCRIPTOR_ADDRESS, DESCRIPTORS)
        await self.write(Register.DESCRIPTOR_COUNT, count)
        await self.write(Register.INTERRUPT_ENABLE, Interrupt.DONE | Interrupt.ERROR)
        await self.write(Register.CONTROL, Control.START)

    async def end(self) -> ErrorCode:
        """Waits for the interrupt and takes note of it; the job's error."""
        irq = getattr(self.dut, f"{self.prefix}__irq")
        for _ in range(LIMIT_CYCLES):
            await RisingEdge(self.dut.clk)
            if int(irq.value):
                break
        else:
            raise AssertionError(f"the job must end within {LIMIT_CYCLES} cycles")
        code = ErrorCode(await self.read(Register.ERROR))
        status = await self.read(Register.STATUS)
        assert status == (Status.ERROR if code else Status.DONE), Status(status)
        pending = await self.read(Register.INTERRUPT_STATUS)
        assert pending == (Interrupt.ERROR if code else Interrupt.DONE), Interrupt(pending)
        await self.write(Register.INTERRUPT_STATUS, pending)
        await ClockCycles(self.dut.clk, 2)
        assert not int(irq.value), "an interrupt is pending until it is cleared"
        return code

    async def run_right(self) -> None:
        """A job from packing to comparing."""
        job = self.job()
        expected = self.load(job)
        before = np.frombuffer(self.memory.read(0, MEMORY_BYTES), np.uint8)
        await self.start(job.descriptor_count)
        assert await self.end() == ErrorCode.NONE
        after = np.frombuffer(self.memory.read(0, MEMORY_BYTES), np.uint8)
        target = after[TARGET:TARGET + job.target.size_bytes]
        np.testing.assert_array_equal(job.target.unpack(target), expected)
        np.testing.assert_array_equal(np.delete(after, slice(TARGET, TARGET + job.target.size_bytes)),
                                      np.delete(before, slice(TARGET, TARGET + job.target.size_bytes)))
        counters = {name: await self.counter(name) for name in COUNTER_NAMES}
        idle = sum(value for name, value in counters.items() if name.startswith("idle_"))
        assert counters["cycles"] == counters["busy"] + idle > 0, counters

    async def counter(self, name: str) -> int:
        """A counter, low word first."""
        low, high = counter_registers(name)
        return await self.read(low) | await self.read(high) << 32

    def check_nothing_wrong_is_written(self, job: Job, expected: np.ndarray, before: np.ndarray) -> None:
        """Every byte is what it was or what it should become."""
        after = np.frombuffer(self.memory.read(0, MEMORY_BYTES), np.uint8)
        right = before.copy()
        right[TARGET:TARGET + job.target.size_bytes] = job.target.pack(expected)
        wrong = np.flatnonzero((after != before) & (after != right))
        # The last beat of a row holds whatever lies right of the map.
        mask = np.ones(MEMORY_BYTES, bool)
        outside = job.target.pack(np.ones_like(expected)) == 0
        mask[TARGET:TARGET + job.target.size_bytes][outside] = False
        assert not mask[wrong].any(), f"bytes {wrong[mask[wrong]][:5]} are neither old nor right"


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS))
async def jobs_run_one_after_the_other(dut: SimHandleBase, case: str, delay: str) -> None:
    bench = AxiBench(dut, case, DELAYS[delay])
    await bench.reset()
    assert await bench.read(Register.IDENTITY) == IDENTITY
    low, high = await bench.read(Register.HASH_LOW), await bench.read(Register.HASH_HIGH)
    assert f"{high << 32 | low:016x}" == bench.engine.configuration.hash
    for _ in range(3):
        await bench.run_right()


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS), phase=list(REGIONS), spared=[0, 1, 9])
async def a_failing_memory_ends_the_job(dut: SimHandleBase, case: str, delay: str, phase: str, spared: int) -> None:
    """SLVERR from the first access of a phase on, from the second, and from the tenth; then all is well again."""
    bench = AxiBench(dut, case, DELAYS[delay])
    await bench.reset()
    job = bench.job()
    expected = bench.load(job)
    before = np.frombuffer(bench.memory.read(0, MEMORY_BYTES), np.uint8)
    bench.memory.fails_in, bench.memory.spared = phase, spared
    await bench.start(job.descriptor_count)
    assert await bench.end() == CODES[phase]
    bench.memory.fails_in = None
    bench.check_nothing_wrong_is_written(job, expected, before)
    await bench.run_right()


@cocotb.test()
@cocotb.parametrize(case=list(CASES), delay=list(DELAYS), cycles=[0, 40, 150, 400, 700])
async def a_reset_ends_the_job(dut: SimHandleBase, case: str, delay: str, cycles: int) -> None:
    """By the reset register, at every phase of a job; the memory sees every burst through."""
    bench = AxiBench(dut, case, DELAYS[delay])
    await bench.reset()
    job = bench.job(batch=2, channels=8, filters=8)
    expected = bench.load(job)
    before = np.frombuffer(bench.memory.read(0, MEMORY_BYTES), np.uint8)
    await bench.start(job.descriptor_count)
    await ClockCycles(dut.clk, cycles + 1)
    assert await bench.read(Register.STATUS) == Status.BUSY, "the job must be long enough to be stopped"
    await bench.write(Register.CONTROL, Control.RESET)
    assert await bench.end() == ErrorCode.ABORTED
    bench.check_nothing_wrong_is_written(job, expected, before)
    await bench.run_right()


@cocotb.test()
@cocotb.parametrize(case=list(CASES), code=["BAD_MAGIC", "WRONG_CONFIGURATION", "BAD_CHECKSUM", "OUT_OF_RANGE",
                                            "BAD_LIST"])
async def a_bad_descriptor_ends_the_job(dut: SimHandleBase, case: str, code: str) -> None:
    bench = AxiBench(dut, case, DELAYS["delayed"])
    await bench.reset()
    job = bench.job()
    bench.load(job)
    *good, last = bench.descriptors(job)
    assert good, "the bad one is not the first"
    words = bench.words([*good, last]).reshape(len(good) + 1, -1)
    if code == "BAD_MAGIC":
        words[-1] = bench.words([dataclasses.replace(last, magic=0)])
    elif code == "OUT_OF_RANGE":
        words[-1] = bench.words([dataclasses.replace(last, tile_rows=0)])
    elif code == "WRONG_CONFIGURATION":
        wrong = bench.engine.configuration.hash[:-1] + ("0" if bench.engine.configuration.hash[-1] != "0" else "1")
        words[-1] = last.encode(wrong)
    elif code == "BAD_CHECKSUM":
        words[-1, -1] ^= 1
    else:
        words[-1] = bench.words([dataclasses.replace(last, flags=0)])
    bench.memory.write(DESCRIPTORS, words.tobytes())
    await bench.start(len(words))
    assert await bench.end() == ErrorCode[code]
    await bench.run_right()


@cocotb.test()
@cocotb.parametrize(case=list(CASES))
async def a_hardware_reset_in_the_middle(dut: SimHandleBase, case: str) -> None:
    bench = AxiBench(dut, case, DELAYS["delayed"])
    await bench.reset()
    job = bench.job(batch=2)
    bench.load(job)
    await bench.start(job.descriptor_count)
    await ClockCycles(dut.clk, 300)
    await bench.reset()
    assert await bench.read(Register.STATUS) == 0
    await bench.run_right()
