"""Running layers on a simulated engine, each compared with golden."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cortado.bench.layer import BenchLayer
from cortado.bench.measurement import MeasuredLayer, Measurement
from cortado.bench.results_file import ResultsFile
from cortado.bench.roofline import Roofline
from cortado.device.device import Device, DeviceOptions, open_device
from cortado.engines.design import Design
from cortado.engines.engine import Engine
from cortado.executor.executor import run_job
from cortado.simulation import verilator
from cortado.simulation.cache import digest
from cortado.simulation.verilog import to_verilog

# The device whose memory the options describe.
SIMULATION = "rtlsim"
# The rooms a number of cycles depends on, beside the shell of the simulator.
_ROOMS = ("numerics", "winograd", "gateware", "engines")
# The threads of NumPy's linear algebra go on spinning for a while after a golden result.
_REST_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A layer the engine does not take, and why."""

    layer: BenchLayer
    reason: str


@dataclass(frozen=True, kw_only=True)
class Generation:
    """How the Verilog came to be."""

    seconds: float
    cpu_seconds: float
    """Of Python and yosys."""
    lines: int


@dataclass(frozen=True, kw_only=True)
class EngineResult:
    """What one engine did."""

    engine: Engine
    design: Design
    memory: str
    """The memory model in words."""
    layers: tuple[MeasuredLayer, ...]
    refused: tuple[Refusal, ...]
    generation: Generation | None = None


class EngineBench:
    """Runs layers on one engine; `results` has what was run before and gets what is run now.

    `address` is that of a device with a clock. `started` is told each layer that runs, its number, how many there are,
    and the cycles it is estimated at.
    """

    def __init__(self, engine: Engine, options: DeviceOptions, *, results: ResultsFile, seed: int,
                 address: str = SIMULATION,
                 started: Callable[[BenchLayer, int, int, int], None] | None = None) -> None:
        self.engine = engine
        self._options, self._address = options, address
        self._results = results
        self._seed = seed
        self._started = started
        self._design = engine.design()
        self._origin = digest(verilator.build_key(), self._design.configuration_hash, str(options.memory), str(seed),
                              *_sources(), *(() if address == SIMULATION else (address,)))

    def run(self, layers: Iterable[BenchLayer], *, times_generation: bool = False) -> EngineResult:
        """Run every layer the engine takes, in the engine's formats, one after the other without a reset."""
        refused, taken = [], []
        for drawn in layers:
            layer = replace(drawn, data_bits=self.engine.data_bits, weight_bits=self.engine.weight_bits)
            reason = self.engine.rejects(layer.spec, (layer.bottom,))
            if reason is None:
                taken.append(layer)
            else:
                refused.append(Refusal(layer=layer, reason=reason))
        keys = [self._key(layer) for layer in taken]
        generation = self._generate() if times_generation else None
        measured = []
        with open_device(self._address, self._options) as device:
            # Only what has to be simulated needs a simulator.
            if any(self._results.find(key) is None for key in keys):
                device.program(self._design)
            for number, (layer, key) in enumerate(zip(taken, keys, strict=True), 1):
                measurement = self._results.find(key)
                kept = measurement is not None
                if not kept:
                    if self._started is not None:
                        estimate = self.engine.estimate(layer.spec, (layer.bottom,))
                        self._started(layer, number, len(taken), estimate.cycles)
                    measurement = self._measure(device, layer)
                    self._results.keep(key, layer, measurement)
                measured.append(MeasuredLayer(layer=layer, roofline=self._roofline(layer), measurement=measurement,
                                              kept=kept))
        return EngineResult(engine=self.engine, design=self._design, memory=self._memory,
                            layers=tuple(measured), refused=tuple(refused), generation=generation)

    @property
    def _memory(self) -> str:
        """The memory in words: the model of the simulation, or whose it is."""
        return str(self._options.memory) if self._address == SIMULATION else f"that of {self._address}"

    def _measure(self, device: Device, layer: BenchLayer) -> Measurement:
        source, convolution = layer.source(self._seed), layer.convolution(self._seed)
        job = self.engine.job(layer.name, convolution, layer.bottom)
        # What they spin after the layer before is no time of the simulation.
        time.sleep(_REST_SECONDS)
        begin, cpu_begin = time.perf_counter(), _cpu_seconds()
        result, counters = run_job(device, job, source)
        end, cpu_end = time.perf_counter(), _cpu_seconds()
        different = int(np.count_nonzero(result != convolution.golden(source)))
        return Measurement(counters=counters, estimated_cycles=job.estimate.cycles, seconds=end - begin,
                           cpu_seconds=cpu_end - cpu_begin, golden_seconds=time.perf_counter() - end,
                           different=different)

    def _roofline(self, layer: BenchLayer) -> Roofline:
        return Roofline(geometry=layer.geometry, m=self.engine.configuration.m, multipliers=self.engine.multipliers,
                        beat_bytes=self._design.beat_bits // 8)

    def _generate(self) -> Generation:
        begin, cpu_begin = time.perf_counter(), _cpu_seconds()
        text = to_verilog(self._design.component())
        return Generation(seconds=time.perf_counter() - begin, cpu_seconds=_cpu_seconds() - cpu_begin,
                          lines=text.count("\n"))

    def _key(self, layer: BenchLayer) -> str:
        """Names everything a measurement depends on."""
        return digest(self._origin, layer.network, layer.name, repr(layer.geometry))


def _cpu_seconds() -> float:
    """Processor time of this program and of the tools it has run."""
    ended = os.times()
    # Its own time is known finer than that of the tools.
    return time.process_time() + ended.children_user + ended.children_system


def _sources() -> list[Path]:
    package = Path(__file__).parent.parent
    return [path for room in _ROOMS for path in sorted((package / room).glob("*.py"))]


def expected_cycles(engine: Engine, layers: Iterable[BenchLayer]) -> int:
    """Estimated cycles of those of the layers the engine takes."""
    return sum(engine.estimate(layer.spec, (layer.bottom,)).cycles for layer in layers
               if engine.rejects(layer.spec, (layer.bottom,)) is None)
