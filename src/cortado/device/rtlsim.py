"""The simulated device: the generated Verilog, run by Verilator, with its memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cortado.device.buffer import Allocator, Buffer
from cortado.device.device import Device, DeviceOptions, device_types
from cortado.engines.design import Design
from cortado.engines.device_job import DeviceJob
from cortado.errors import DeviceError
from cortado.gateware.register import Register
from cortado.gateware.winograd_engine import IDENTITY
from cortado.simulation.build import build_library
from cortado.simulation.counters import Counters
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.simulator import Simulator, require_wave_file
from cortado.simulation.verilog import to_verilog


@device_types.register("rtlsim")
class RtlsimDevice(Device):
    """Programs by building (or finding) the simulator of a design; runs jobs cycle by cycle."""

    name = "rtlsim"

    def __init__(self, options: DeviceOptions) -> None:
        super().__init__(options)
        self._simulator: Simulator | None = None
        self._programmed: str | None = None
        self._allocator = Allocator(options.memory_bytes)
        self._wave = options.wave

    def program(self, design: Design) -> None:
        """Build the simulator and check that identity and configuration hash read back as they must."""
        self.close()
        if self._wave is not None:
            require_wave_file(self._wave)
        library = build_library(design.configuration_hash, lambda: to_verilog(design.component()), design.beat_bits,
                                trace=self._wave is not None)
        memory = self.options.memory or MemoryModel(beat_bits=design.beat_bits)
        if memory.beat_bits != design.beat_bits:
            memory = replace(memory, beat_bits=design.beat_bits)
        self._simulator = Simulator(library, memory, self.options.memory_bytes)
        identity = self._simulator.register_read(Register.IDENTITY)
        found = (self._simulator.register_read(Register.HASH_HIGH) << 32
                 | self._simulator.register_read(Register.HASH_LOW))
        if identity != IDENTITY or f"{found:016x}" != design.configuration_hash:
            raise DeviceError(f"device 'rtlsim': the engine must read back identity {IDENTITY:#010x} and configuration "
                              f"{design.configuration_hash}, not {identity:#010x} and {found:016x}")
        self._programmed = design.configuration_hash

    @property
    def memory_model(self) -> MemoryModel:
        """The parameters every figure of this device depends on."""
        return self._running().memory_model

    def allocate(self, size: int) -> Buffer:
        return self._allocator.allocate(size)

    def free(self, buffer: Buffer) -> None:
        self._allocator.free(buffer)

    def write(self, buffer: Buffer, data: np.ndarray) -> None:
        self._allocator.require(buffer, data.nbytes)
        self._running().memory_write(buffer.address, data)

    def read(self, buffer: Buffer) -> np.ndarray:
        self._allocator.require(buffer)
        return self._running().memory_read(buffer.address, buffer.size)

    def run(self, job: DeviceJob, *, source: Buffer, weights: Buffer, target: Buffer) -> Counters:
        self.require_configuration(job, self._programmed)
        self.require_buffers(self._allocator, job, source=source, weights=weights, target=target)
        words = np.concatenate([
            descriptor.encode(job.configuration_hash) for descriptor in job.descriptors(
                input_address=source.address, weights_address=weights.address, output_address=target.address)])
        descriptors = self.allocate(words.nbytes)
        try:
            self.write(descriptors, words)
            wave, self._wave = self._wave, None
            return self._running().run(descriptors.address, job.descriptor_count, max_cycles=self.options.max_cycles,
                                       progress=self.options.progress, wave=wave)
        finally:
            self.free(descriptors)

    def close(self) -> None:
        if self._simulator is not None:
            self._simulator.close()
        self._simulator = None
        self._allocator = Allocator(self.options.memory_bytes)
        self._programmed = None

    def _running(self) -> Simulator:
        if self._simulator is None:
            raise DeviceError("device 'rtlsim': it must be programmed first; call program(design)")
        return self._simulator
