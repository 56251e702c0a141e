"""What only a device with a clock can do, and go wrong with."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from cortado.device import driver, simulated_transport
from cortado.device.device import Device, DeviceOptions, device_types
from cortado.device.simulated_transport import SimulatedTransport
from cortado.device.transport import Transport
from cortado.device.transport_device import TransportDevice
from cortado.engines.job import Job
from cortado.engines.winograd import Winograd
from cortado.errors import CycleLimitError, DeviceError, DeviceTimeoutError, EngineError, SimulationError
from cortado.gateware.descriptor import FIELD_NAMES, Descriptor
from cortado.gateware.register import Control, Register
from cortado.graph.shape import TensorShape
from cortado.numerics.convolution import IntegerConvolution
from cortado.simulation.build import build_library
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.verilog import to_verilog

pytestmark = pytest.mark.rtlsim

MEMORY_BYTES = 2**20
LONG, LONG_BYTES = TensorShape((1, 24, 96, 96)), 4 * 2**20


@dataclass(frozen=True)
class Corrupted:
    """A descriptor that is changed after it was encoded."""

    descriptor: Descriptor
    change: Callable[[np.ndarray], None]

    def encode(self, configuration_hash: str) -> np.ndarray:
        words = self.descriptor.encode(configuration_hash).copy()
        self.change(words)
        return words


@dataclass(frozen=True, kw_only=True)
class CorruptedJob(Job):
    """A job whose last descriptor is changed."""

    change: Callable[[np.ndarray], None]

    def descriptors(self, **addresses: int) -> list:
        *others, last = super().descriptors(**addresses)
        return [*others, Corrupted(last, self.change)]


def with_checksum(change: Callable[[np.ndarray], None]) -> Callable[[np.ndarray], None]:
    """The change, and a checksum that fits it."""
    def changed(words: np.ndarray) -> None:
        change(words)
        words[-1] = 0
        words[-1] = (-int(words.astype(np.uint64).sum())) % 2**32
    return changed


def put(name: str, value: int) -> Callable[[np.ndarray], None]:
    def change(words: np.ndarray) -> None:
        words[FIELD_NAMES.index(name)] = value
    return change


@pytest.fixture
def rtlsim(simulator_tools: None, small_engine: Winograd) -> Iterator[Device]:
    with device_types["rtlsim"](DeviceOptions(memory_bytes=MEMORY_BYTES)) as device:
        device.program(small_engine.design())
        yield device


@pytest.mark.parametrize(("change", "code"), [
    (with_checksum(put("magic", 0x12345678)), "1 (bad magic)"),
    (with_checksum(put("configuration", 0xDEADBEEF)), "2 (wrong configuration)"),
    (put("tile_rows", 1000), "3 (bad checksum)"),
    (with_checksum(put("tile_rows", 1000)), "4 (out of range)"),
    (with_checksum(put("tile_rows", 0)), "4 (out of range)"),
    (with_checksum(put("output_address", 0x1004)), "4 (out of range)"),
])
def test_a_corrupted_descriptor_and_the_job_after_it(rtlsim, load, naive, job, convolution, source, change, code):
    buffers = load(rtlsim, job, source)
    corrupted = CorruptedJob(layer=job.layer, convolution=convolution, mapping=job.mapping, change=change)
    with pytest.raises(EngineError, match=(
            rf"^engine: the job must end without error, not with error code {code[0]} \({code[3:-1]}\) after \d+ "
            r"cycles$")):
        rtlsim.run(corrupted, **buffers)
    rtlsim.run(job, **buffers)
    np.testing.assert_array_equal(job.target.unpack(rtlsim.read(buffers["target"])), naive(convolution, source))


def test_results_beyond_the_memory_and_the_job_after_it(rtlsim, load, naive, job, convolution, source):
    buffers = load(rtlsim, job, source)
    corrupted = CorruptedJob(layer=job.layer, convolution=convolution, mapping=job.mapping,
                             change=with_checksum(put("output_address", 2**30)))
    with pytest.raises(EngineError, match=(
            r"^engine: the job must end without error, not with error code 5 \(write failed\) after \d+ cycles; "
            r"results: a burst must be at a multiple of 8 bytes, inside a page of 4096 bytes and inside the memory of "
            r"1048576 bytes, not write \d+ beats at 0x40000000$")):
        rtlsim.run(corrupted, **buffers)
    rtlsim.run(job, **buffers)
    np.testing.assert_array_equal(job.target.unpack(rtlsim.read(buffers["target"])), naive(convolution, source))


def test_progress_and_the_cycle_limit(simulator_tools, small_engine, load, job, source):
    seen = []
    options = DeviceOptions(memory_bytes=MEMORY_BYTES, progress=seen.append, max_cycles=100)
    with device_types["rtlsim"](options) as device:
        device.program(small_engine.design())
        buffers = load(device, job, source)
        with pytest.raises(CycleLimitError) as caught:
            device.run(job, **buffers)
        assert str(caught.value) == ("engine: the job must end within 100 cycles, not go on; raise the limit "
                                     "(--max-cycles) if it should")
    assert seen == sorted(seen)
    assert seen[-1] >= 100


def test_the_memory_takes_the_width_of_the_port(simulator_tools, small_engine):
    slow = MemoryModel(latency_cycles=100, beat_bits=512)
    with device_types["rtlsim"](DeviceOptions(memory_bytes=MEMORY_BYTES, memory=slow)) as device:
        device.program(small_engine.design())
        assert device.memory_model == replace(slow, beat_bits=64)


@pytest.mark.parametrize(("call", "arguments"), [("write", [np.zeros(1, np.uint8)]), ("read", [])])
def test_memory_before_a_program(call, arguments):
    with device_types["rtlsim"](DeviceOptions(memory_bytes=MEMORY_BYTES)) as device:
        buffer = device.allocate(1)
        with pytest.raises(DeviceError) as caught:
            getattr(device, call)(buffer, *arguments)
    assert str(caught.value) == "device 'rtlsim': it must be programmed first; call program(design)"


def test_an_engine_that_reads_back_another_hash(simulator_tools, small_engine, monkeypatch):
    design = small_engine.design()
    library = build_library(design.configuration_hash, lambda: to_verilog(design.component()), design.beat_bits)
    monkeypatch.setattr(simulated_transport, "build_library", lambda *arguments, **options: library)
    impostor = replace(design, configuration_hash="0123456789abcdef")
    with device_types["rtlsim"](DeviceOptions(memory_bytes=MEMORY_BYTES)) as device:
        with pytest.raises(DeviceError) as caught:
            device.program(impostor)
        assert str(caught.value) == (
            "device 'rtlsim': the engine must read back identity 0x434f5254 and configuration 0123456789abcdef, not "
            f"0x434f5254 and {small_engine.configuration.hash}")


def test_a_wave_that_cannot_be_written(small_engine):
    with device_types["rtlsim"](DeviceOptions(wave=Path("/nowhere/wave.fst"))) as device:
        with pytest.raises(SimulationError) as caught:
            device.program(small_engine.design())
    assert str(caught.value) == (
        "wave file '/nowhere/wave.fst': must be one that can be written, not refuse with 'No such file or directory'")


@pytest.fixture
def long_job(small_engine: Winograd, rng: np.random.Generator) -> Job:
    """Seconds of simulation."""
    convolution = IntegerConvolution(
        weight=rng.integers(-128, 128, (64, 24, 3, 3)).astype(np.int8), bias=np.zeros(64, np.int32),
        multiplier=np.full(64, 40000, np.uint16), shift=np.full(64, 24, np.uint8), pad=(1, 1, 1, 1), relu=True)
    return small_engine.job("long", convolution, LONG)


def check_next(device: Device, load, naive, job: Job, convolution: IntegerConvolution, source: np.ndarray) -> None:
    """The next job is right."""
    buffers = load(device, job, source)
    device.run(job, **buffers)
    np.testing.assert_array_equal(job.target.unpack(device.read(buffers["target"])), naive(convolution, source))


def test_a_job_that_takes_too_long(simulator_tools, small_engine, load, naive, job, convolution, source, long_job):
    with device_types["rtlsim"](DeviceOptions(memory_bytes=LONG_BYTES, timeout_s=0.3)) as device:
        device.program(small_engine.design())
        buffers = load(device, long_job, np.zeros(LONG.dims, np.int8))
        with pytest.raises(DeviceTimeoutError, match=(
                r"^engine: the job must end within 0\.3 seconds, not still be busy after \d+ cycles; raise the limit "
                r"\(--timeout\) if it should$")):
            device.run(long_job, **buffers)
        check_next(device, load, naive, job, convolution, source)


def test_a_job_that_is_ended_by_the_caller(simulator_tools, small_engine, load, naive, job, convolution, source,
                                           long_job):
    running = threading.Event()
    options = DeviceOptions(memory_bytes=LONG_BYTES, progress=lambda cycles: running.set())
    with device_types["rtlsim"](options) as device:
        device.program(small_engine.design())
        buffers = load(device, long_job, np.zeros(LONG.dims, np.int8))
        tickets = [device.enqueue(long_job, **buffers) for _ in range(3)]
        assert running.wait(20)
        device.abort()
        assert all(ticket.is_done for ticket in tickets)
        with pytest.raises(DeviceError, match=r"^engine: the job was ended by the caller$"):
            device.wait(tickets[0])
        for ticket in tickets[1:]:
            with pytest.raises(DeviceError, match=r"^device 'rtlsim': layer 'long' was dropped: "):
                device.wait(ticket)
        check_next(device, load, naive, job, convolution, source)


def test_ctrl_c_while_waiting(simulator_tools, small_engine, load, naive, job, convolution, source, long_job):
    options = DeviceOptions(memory_bytes=LONG_BYTES, progress=lambda cycles: os.kill(os.getpid(), signal.SIGINT))
    with device_types["rtlsim"](options) as device:
        device.program(small_engine.design())
        ticket = device.enqueue(long_job, **load(device, long_job, np.zeros(LONG.dims, np.int8)))
        with pytest.raises(KeyboardInterrupt):
            device.wait(ticket)
        assert ticket.is_done
        check_next(device, load, naive, job, convolution, source)


class Obstinate(SimulatedTransport):
    """An engine that does not obey its reset register, on a board that has no other reset."""

    def register_write(self, address: int, value: int) -> None:
        if address != Register.CONTROL or not value & Control.RESET:
            super().register_write(address, value)

    def reset(self) -> None:
        Transport.reset(self)


def test_an_engine_that_does_not_obey(simulator_tools, small_engine, load, naive, job, convolution, source, long_job,
                                      monkeypatch, caplog):
    """It must be programmed again, and then the next job is right."""
    monkeypatch.setattr(driver, "RESET_SECONDS", 0.3)
    with TransportDevice(DeviceOptions(timeout_s=0.3), transport=Obstinate(LONG_BYTES)) as device:
        device.program(small_engine.design())
        with pytest.raises(DeviceTimeoutError):
            device.run(long_job, **load(device, long_job, np.zeros(LONG.dims, np.int8)))
        [message] = caplog.messages
        assert message == ("engine: it does not obey its reset register, and transport Obstinate: the engine cannot be "
                           "reset from outside; program it again")
        assert device.configuration_hash is None
        device.program(small_engine.design())
        check_next(device, load, naive, job, convolution, source)


def test_a_start_that_is_not_taken(simulator_tools, small_engine, load, naive, job, convolution, source):
    class Deaf(SimulatedTransport):
        """The first start does not arrive; a transport without interrupts finds the engine idle."""

        interrupts = False
        is_deaf = True

        def register_write(self, address: int, value: int) -> None:
            if address == Register.CONTROL and self.is_deaf:
                self.is_deaf = False
            else:
                super().register_write(address, value)

    with TransportDevice(DeviceOptions(), transport=Deaf(MEMORY_BYTES)) as device:
        device.program(small_engine.design())
        with pytest.raises(DeviceError) as caught:
            device.run(job, **load(device, job, source))
        assert str(caught.value) == ("engine: its status must be 2 (done) after a job, not 0; it has not taken the "
                                     "start")
        check_next(device, load, naive, job, convolution, source)
