"""The transport to a simulated engine: the generated Verilog, run by Verilator, with its memory."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from cortado.device.transport import Transport
from cortado.engines.design import Design
from cortado.errors import DeviceError
from cortado.gateware.register import Control, Register
from cortado.simulation.build import build_library
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator, require_wave_file
from cortado.simulation.verilog import to_verilog

logger = logging.getLogger(__name__)


class SimulatedTransport(Transport):
    """Programs by building (or finding) the simulator of a design. Time passes while the driver waits.

    `memory` is the simulated memory (None: the default one, as wide as the engine's port); `wave` an FST file of the
    first job, from its start to its end, or of those of its cycles from the first to the last of `wave_cycles`.
    """

    interrupts = True
    # A simulation ends by itself: with the job, or with an error when nothing moves any more.
    timeout_s = None

    def __init__(self, memory_bytes: int, memory: MemoryModel | None = None, wave: Path | None = None,
                 wave_cycles: tuple[int, int] | None = None) -> None:
        self.memory_bytes = memory_bytes
        self._memory = memory
        self._wave, self._wave_cycles = wave, wave_cycles
        self._writes_wave = False
        # Cycles of the simulator at which a wave is still to begin or to end.
        self._borders: list[int] = []
        self._simulator: Simulator | None = None

    @classmethod
    def over(cls, simulator: Simulator, wave: Path | None = None,
             wave_cycles: tuple[int, int] | None = None) -> SimulatedTransport:
        """The transport to a simulator that is there already."""
        transport = cls(simulator.memory_bytes, simulator.memory_model, wave, wave_cycles)
        transport.memory_model, transport._simulator = simulator.memory_model, simulator
        return transport

    def program(self, design: Design) -> None:
        self.close()
        if self._wave is not None:
            require_wave_file(self._wave)
        library = build_library(design.configuration_hash, lambda: to_verilog(design.component()), design.beat_bits,
                                trace=self._wave is not None)
        self.memory_model = replace(self._memory or MemoryModel(), beat_bits=design.beat_bits)
        self._simulator = Simulator(library, self.memory_model, self.memory_bytes)

    @property
    def simulator(self) -> Simulator:
        """What runs; `DeviceError` before the device is programmed."""
        if self._simulator is None:
            raise DeviceError("device 'rtlsim': it must be programmed first; call program(design)")
        return self._simulator

    def register_read(self, address: int) -> int:
        return self.simulator.register_read(address)

    def register_write(self, address: int, value: int) -> None:
        if self._wave is not None and address == Register.CONTROL and value & Control.START:
            if self._wave_cycles is None:
                self._begin_wave()
            else:
                first, last = self._wave_cycles
                self._borders = [self.simulator.cycle + first, self.simulator.cycle + last + 1]
        self.simulator.register_write(address, value)
        # The driver's last word on a job.
        if address == Register.INTERRUPT_STATUS and (self._writes_wave or self._borders):
            if self._borders and not self._writes_wave:
                logger.warning("wave file '%s': the cycles asked for must lie in the first job, not begin behind its "
                               "end; nothing was written", self._wave)
            self._end_wave()

    def memory_read(self, address: int, size: int) -> np.ndarray:
        return self.simulator.memory_read(address, size)

    def memory_write(self, address: int, data: np.ndarray) -> None:
        self.simulator.memory_write(address, data)

    def wait_interrupt(self, timeout_s: float, cycles: int | None = None) -> bool:
        end = time.perf_counter() + timeout_s
        last_cycle = math.inf if cycles is None else self.simulator.cycle + cycles
        while True:
            until = min(last_cycle, *self._borders[:1], math.inf)
            came = self.simulator.wait_interrupt(
                max(0.0, end - time.perf_counter()),
                None if until == math.inf else max(0, int(until) - self.simulator.cycle))
            self._pass_border()
            if came or self.simulator.cycle >= last_cycle or time.perf_counter() >= end:
                return came

    def reset(self) -> None:
        self.simulator.reset()

    def diagnosis(self) -> str:
        return self.simulator.refused()

    def _pass_border(self) -> None:
        """Begin or end the wave where its cycle has come."""
        if self._borders and self.simulator.cycle >= self._borders[0]:
            del self._borders[0]
            if self._borders:
                self._begin_wave()
            else:
                self._end_wave()

    def _begin_wave(self) -> None:
        self.simulator.open_wave(self._wave)
        self._writes_wave = True

    def _end_wave(self) -> None:
        self.simulator.close_wave()
        self._wave, self._writes_wave, self._borders = None, False, []

    def close(self) -> None:
        if self._simulator is not None:
            self._simulator.close()
        self._simulator, self.memory_model = None, None
