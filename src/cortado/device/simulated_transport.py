"""The transport to a simulated engine: the generated Verilog, run by Verilator, with its memory."""

from __future__ import annotations

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


class SimulatedTransport(Transport):
    """Programs by building (or finding) the simulator of a design. Time passes while the driver waits.

    `memory` is the simulated memory (None: the default one, as wide as the engine's port); `wave` an FST file of the
    first job, from its start to its end.
    """

    interrupts = True
    # A simulation ends by itself: with the job, or with an error when nothing moves any more.
    timeout_s = None

    def __init__(self, memory_bytes: int, memory: MemoryModel | None = None, wave: Path | None = None) -> None:
        self.memory_bytes = memory_bytes
        self._memory = memory
        self._wave = wave
        self._writes_wave = False
        self._simulator: Simulator | None = None

    @classmethod
    def over(cls, simulator: Simulator, wave: Path | None = None) -> SimulatedTransport:
        """The transport to a simulator that is there already."""
        transport = cls(simulator.memory_bytes, simulator.memory_model, wave)
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
            self.simulator.open_wave(self._wave)
            self._wave, self._writes_wave = None, True
        self.simulator.register_write(address, value)
        # The driver's last word on a job.
        if self._writes_wave and address == Register.INTERRUPT_STATUS:
            self.simulator.close_wave()
            self._writes_wave = False

    def memory_read(self, address: int, size: int) -> np.ndarray:
        return self.simulator.memory_read(address, size)

    def memory_write(self, address: int, data: np.ndarray) -> None:
        self.simulator.memory_write(address, data)

    def wait_interrupt(self, timeout_s: float, cycles: int | None = None) -> bool:
        return self.simulator.wait_interrupt(timeout_s, cycles)

    def reset(self) -> None:
        self.simulator.reset()

    def diagnosis(self) -> str:
        return self.simulator.refused()

    def close(self) -> None:
        if self._simulator is not None:
            self._simulator.close()
        self._simulator, self.memory_model = None, None
