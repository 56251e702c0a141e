"""Faults in a simulated device, on purpose: to see that each is detected and named."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cortado.device.simulated_transport import SimulatedTransport
from cortado.errors import DeviceError
from cortado.gateware.register import Control, Register
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.register import CHANNELS, MASTERS

logger = logging.getLogger(__name__)

# Bursts and transfers of the smallest jobs; a fault behind the end of its job would be none.
FIRST_BURSTS, FIRST_TRANSFERS = 2, 2


class FaultyTransport(SimulatedTransport):
    """A simulation in which one job meets one fault; `seed` chooses where.

    `fault` is one of `FAULTS`, `job` the number of the job it strikes, counted from 0. `injected` says what was done,
    once it was. Raises `DeviceError` for a fault nobody knows.
    """

    def __init__(self, memory_bytes: int, memory: MemoryModel | None = None, wave: Path | None = None,
                 wave_cycles: tuple[int, int] | None = None, *, fault: str, seed: int = 0, job: int = 0) -> None:
        super().__init__(memory_bytes, memory, wave, wave_cycles)
        if fault not in FAULTS:
            raise DeviceError(f"device 'rtlsim': fault must be one of {', '.join(FAULTS)}, not {fault}")
        self.injected = ""
        self._inject, self._random, self._jobs_before = FAULTS[fault], random.Random(seed), job
        self._written: list[tuple[int, int]] = []
        self._loses_interrupt = False

    def memory_write(self, address: int, data: np.ndarray) -> None:
        super().memory_write(address, data)
        if data.size:
            self._written.append((address, data.size))

    def register_write(self, address: int, value: int) -> None:
        starts = address == Register.CONTROL and bool(value & Control.START)
        if starts and self._jobs_before == 0:
            self.injected = self._inject(self)
            logger.warning("fault injected: %s", self.injected)
        if starts:
            self._jobs_before -= 1
            self._written.clear()
        if address == Register.INTERRUPT_STATUS:
            # The driver has seen the end of the job by itself.
            self._loses_interrupt = False
        super().register_write(address, value)

    def wait_interrupt(self, timeout_s: float, cycles: int | None = None) -> bool:
        came = super().wait_interrupt(timeout_s, cycles)
        return came and not self._loses_interrupt

    def flip_descriptor_bit(self) -> str:
        """In the descriptors, which the driver writes last before it starts a job."""
        return self._flip(*self._written[-1])

    def flip_operand_bit(self) -> str:
        """In what else was written since the last job: maps and weights."""
        places = self._written[:-1]
        if not places:
            raise DeviceError("device 'rtlsim': a bit can be flipped in maps or weights that are written before the "
                              "job, none were")
        return self._flip(*self._random.choices(places, [size for _, size in places])[0])

    def lose_interrupt(self) -> str:
        """The one at the end of the job."""
        self._loses_interrupt = True
        return "the interrupt of a job is lost"

    def fail_burst(self) -> str:
        """Of one of the masters that every job has."""
        master, burst = self._random.choice([name for name in MASTERS if name != "weights"]), 0
        if master != "descriptors":
            burst = self._random.randrange(FIRST_BURSTS)
        self.simulator.fail_burst(master, burst)
        return f"burst {burst} of the {master} is answered with an error"

    def stick_channel(self) -> str:
        """One of the memory port."""
        channel = self._random.choice(CHANNELS)
        transfers = self._random.randrange(1 if channel.endswith(("aw", "b")) else FIRST_TRANSFERS)
        self.simulator.stick(channel, transfers)
        return f"channel {channel} moves no more behind its transfer {transfers}"

    def _flip(self, address: int, size: int) -> str:
        place, bit = address + self._random.randrange(size), self._random.randrange(8)
        byte = self.memory_read(place, 1)
        super().memory_write(place, byte ^ np.uint8(1 << bit))
        return f"bit {bit} of the byte at {place:#x} is flipped"


FAULTS: dict[str, Callable[[FaultyTransport], str]] = {
    "flipped_descriptor_bit": FaultyTransport.flip_descriptor_bit,
    "flipped_operand_bit": FaultyTransport.flip_operand_bit,
    "lost_interrupt": FaultyTransport.lose_interrupt,
    "axi_error": FaultyTransport.fail_burst,
    "stuck_stream": FaultyTransport.stick_channel,
}
