"""What the driver costs over the bare simulator, and what the way to a served device costs over that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np

from cortado.bench.layer import BenchLayer
from cortado.device.device import Device, DeviceOptions, open_device
from cortado.device.remote_server import DeviceServer
from cortado.device.rtlsim import RtlsimDevice
from cortado.device.simulated_transport import SimulatedTransport
from cortado.engines.engine import Engine
from cortado.engines.job import Job
from cortado.errors import MismatchError
from cortado.executor.executor import run_job
from cortado.gateware.register import Control, Interrupt, Register

# Where the bare simulator has everything; each place starts on a page.
PAGE = 4096


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """On the wall, and of the processor, all threads of this process together."""

    wall: float
    cpu: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(wall=self.wall + other.wall, cpu=self.cpu + other.cpu)

    def least(self, other: Seconds) -> Seconds:
        """The smaller one of each."""
        return Seconds(wall=min(self.wall, other.wall), cpu=min(self.cpu, other.cpu))


@dataclass(frozen=True, kw_only=True)
class DeviceTime:
    """A layer in each way, maps in, maps out: the least seconds of the repeats."""

    layer: BenchLayer
    cycles: int
    bare: Seconds
    """Registers of the simulator written by hand, its interrupt waited for."""
    driver: Seconds
    remote: Seconds


class DeviceBench:
    """Runs layers on one engine three ways, in turns.

    On a machine that has other work, processor time says what each way costs, and wall time says more of the others.

    `started` is told each layer before it runs. The served device is in a thread of this process, behind gRPC all the
    same.
    """

    def __init__(self, engine: Engine, options: DeviceOptions, *, repeats: int, seed: int,
                 started: Callable[[BenchLayer, int, int, int], None] | None = None) -> None:
        self._engine, self._options, self._repeats, self._seed = engine, options, repeats, seed
        self._started = started

    def run(self, layers: Iterable[BenchLayer]) -> tuple[DeviceTime, ...]:
        """The times of every layer the engine takes; `MismatchError` if two ways differ in a bit."""
        bits = {"data_bits": self._engine.data_bits, "weight_bits": self._engine.weight_bits}
        taken = [replace(layer, **bits) for layer in layers
                 if self._engine.rejects(layer.spec, (layer.bottom,)) is None]
        times = []
        with self._ways() as (bare, driver, remote):
            for number, layer in enumerate(taken, 1):
                job = self._engine.job(layer.name, layer.convolution(self._seed), layer.bottom)
                if self._started is not None:
                    self._started(layer, number, len(taken), 3 * self._repeats * job.estimate.cycles)
                times.append(self._time(layer, job, bare, driver, remote))
        return tuple(times)

    @contextmanager
    def _ways(self) -> Iterator[tuple[SimulatedTransport, Device, Device]]:
        design, options = self._engine.design(), self._options

        def simulation() -> SimulatedTransport:
            return SimulatedTransport(options.memory_bytes, options.memory)

        with ExitStack() as stack:
            bare = simulation()
            stack.callback(bare.close)
            bare.program(design)
            driver = stack.enter_context(RtlsimDevice(options))
            server = stack.enter_context(DeviceServer("rtlsim", simulation, "127.0.0.1:0"))
            remote = stack.enter_context(open_device(f"remote://{server.address}", options))
            for device in (driver, remote):
                device.program(design)
            yield bare, driver, remote

    def _time(self, layer: BenchLayer, job: Job, bare: SimulatedTransport, driver: Device,
              remote: Device) -> DeviceTime:
        source, ways = layer.source(self._seed), dict[str, Seconds]()
        # Made once and kept by the job; none of the ways is to pay for it.
        job.weights  # noqa: B018
        for _ in range(self._repeats):
            results = []
            for name, run in (("bare", lambda: _run_bare(bare, job, source)),
                              ("driver", lambda: run_job(driver, job, source)),
                              ("remote", lambda: run_job(remote, job, source))):
                begin, cpu_begin = time.perf_counter(), time.process_time()
                result, counters = run()
                seconds = Seconds(wall=time.perf_counter() - begin, cpu=time.process_time() - cpu_begin)
                ways[name] = seconds.least(ways.get(name, seconds))
                results.append(result)
            if not all(np.array_equal(results[0], result) for result in results[1:]):
                raise MismatchError(f"layer '{layer.name}': the bare simulator, the driver and the served device must "
                                    "give the same result, one differs")
        return DeviceTime(layer=layer, cycles=counters.cycles, **ways)


def _run_bare(transport: SimulatedTransport, job: Job, source: np.ndarray) -> tuple[np.ndarray, None]:
    """What any program must do at least: memory in, registers, wait, memory out."""
    simulator, first = transport.simulator, PAGE
    places = []
    for size in (job.source_bytes, job.weights_bytes, job.target_bytes):
        places.append(first)
        first += -(-size // PAGE) * PAGE
    simulator.memory_write(places[0], job.source.pack(source))
    simulator.memory_write(places[1], job.weights)
    words = np.stack([descriptor.encode(job.configuration_hash) for descriptor in job.descriptors(
        input_address=places[0], weights_address=places[1], output_address=places[2])])
    simulator.memory_write(first, words)
    for register, value in ((Register.INTERRUPT_ENABLE, Interrupt.DONE | Interrupt.ERROR),
                            (Register.DESCRIPTOR_ADDRESS, first), (Register.DESCRIPTOR_COUNT, len(words)),
                            (Register.CONTROL, Control.START)):
        simulator.register_write(register, value)
    while not simulator.wait_interrupt(1.0):
        pass
    simulator.register_write(Register.INTERRUPT_STATUS, Interrupt.DONE | Interrupt.ERROR)
    return job.target.unpack(simulator.memory_read(places[2], job.target_bytes)), None
