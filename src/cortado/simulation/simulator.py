"""A simulated engine with its memory: registers and an interrupt, as a board has them."""

from __future__ import annotations

import ctypes
import logging
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from cortado.errors import DeadlockError, SimulationError
from cortado.simulation.library import EngineLibrary, Options, Outcome
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.register import CHANNELS, MASTERS
from cortado.whole_file import require_writable

logger = logging.getLogger(__name__)

# Cycles without a transfer on any channel after which a job is given up.
DEADLOCK_CYCLES = 20_000
# One call of the library: short enough that Ctrl-C and limits feel immediate.
STEP_SECONDS = 0.2
FIRST_STEP_CYCLES = 2_000


def require_wave_file(wave: Path) -> None:
    """Raise `SimulationError` unless a wave can be written to the file `wave`; what is there stays."""
    try:
        require_writable(wave)
    except OSError as error:
        raise SimulationError(f"wave file '{wave}': must be one that can be written, not refuse with "
                              f"'{error.strerror}'") from error


class Simulator:
    """One simulated engine: registers, interrupt and memory. A context manager; closing it frees the model.

    Time passes while a register is read or written and in `wait_interrupt`, and stands still otherwise.

    `library` is what `build_library` made, `memory_bytes` the size of the memory, all zeros at first.
    """

    def __init__(self, library: Path, memory_model: MemoryModel, memory_bytes: int) -> None:
        self._engine = None
        self._step_cycles = FIRST_STEP_CYCLES
        self._library = EngineLibrary(library)
        self.memory_model = memory_model
        self.memory_bytes = memory_bytes
        if self._library.beat_bits() != memory_model.beat_bits:
            raise SimulationError(f"simulator: the memory model must have the engine's {self._library.beat_bits()}-bit "
                                  f"beats, not {memory_model.beat_bits}-bit beats")
        if not 0 < memory_bytes <= 2**32:
            raise SimulationError(f"simulator: memory must be 1 to 2**32 bytes, not {memory_bytes}")
        # A read that takes longer than the limit is no deadlock.
        self._deadlock_cycles = DEADLOCK_CYCLES + memory_model.latency_cycles
        options = Options.of(memory_model, memory_bytes, self._deadlock_cycles)
        self._engine = self._library.create(ctypes.byref(options))
        if not self._engine:
            raise SimulationError(f"simulator: the model must start, not fail with '{self._library.last_error()}'")

    def close(self) -> None:
        """Free the model and its memory; the simulator is of no use afterwards."""
        if self._engine:
            self._library.destroy(self._engine)
            self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    @property
    def _open_engine(self) -> int:
        """The library's handle of the engine; raises `SimulationError` once the simulator is closed."""
        if self._engine is None:
            raise SimulationError("simulator: must be open to be used, not closed")
        return self._engine

    @property
    def cycle(self) -> int:
        """Cycles simulated since the last reset, those in which registers are read and written among them."""
        return self._library.cycle(self._open_engine)

    def register_read(self, register: int) -> int:
        """The 32-bit register at a byte offset; `SimulationError` if there is none."""
        value = ctypes.c_uint32()
        if not self._library.register_read(self._open_engine, register, ctypes.byref(value)):
            raise SimulationError(f"register {register:#04x}: must be one that can be read, not refuse with "
                                  f"'{self._library.last_error()}'")
        return value.value

    def register_write(self, register: int, value: int) -> None:
        """Write the 32-bit register at a byte offset.

        Raises `SimulationError` if there is none that can be written, or for a start while busy.
        """
        if not 0 <= value < 2**32:
            raise SimulationError(f"register {register:#04x}: must be written with 32 bits, not {value:#x}")
        if not self._library.register_write(self._open_engine, register, value):
            raise SimulationError(f"register {register:#04x}: must accept {value:#x}, not refuse with "
                                  f"'{self._library.last_error()}'")

    def memory_write(self, address: int, data: np.ndarray | bytes) -> None:
        """Copy bytes, or the bytes of an array in C order, into memory."""
        array = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else np.ascontiguousarray(data)
        self._require_inside("write", address, array.nbytes)
        self._library.memory_write(self._open_engine, address, array.ctypes.data, array.nbytes)

    def memory_read(self, address: int, count: int) -> np.ndarray:
        """Copy `count` bytes out of memory: (count,) uint8."""
        self._require_inside("read", address, count)
        array = np.empty(count, np.uint8)
        self._library.memory_read(self._open_engine, address, array.ctypes.data, count)
        return array

    def wait_interrupt(self, timeout_s: float, cycles: int | None = None) -> bool:
        """Run until the engine asks for an interrupt, for at most `timeout_s` seconds and `cycles`; whether it does.

        Raises `DeadlockError` when no channel moves any more, `SimulationError` when the engine breaks a rule of its
        bus or the model itself fails.
        """
        end, last_cycle = time.perf_counter() + timeout_s, None if cycles is None else self.cycle + cycles
        while True:
            left = self._step_cycles if last_cycle is None else min(self._step_cycles, last_cycle - self.cycle)
            begin = time.perf_counter()
            outcome = self._step(left if begin < end else 0)
            if outcome is Outcome.DEADLOCK:
                raise DeadlockError(f"simulation: a channel must move within {self._deadlock_cycles} cycles, not all "
                                    f"stand still in cycle {self.cycle}",
                                    streams=self._library.channel_states(self._open_engine))
            if outcome is Outcome.FAULT:
                rule, cycle = self._library.last_error(), self.cycle
                self.reset()
                raise SimulationError(f"engine: it must keep the rules of its bus, not break one in cycle {cycle}: "
                                      f"{rule}")
            now = time.perf_counter()
            if outcome is Outcome.INTERRUPT or now >= end or (last_cycle is not None and self.cycle >= last_cycle):
                return outcome is Outcome.INTERRUPT
            # One that took the steps it was given: the next takes about STEP_SECONDS.
            self._step_cycles = max(1, min(2 * left, int(left * STEP_SECONDS / max(now - begin, 1e-9))))

    def refused(self) -> str:
        """Words on the first burst that the memory refused for where it is since the last call, or none."""
        return self._library.refused(self._open_engine).decode()

    def open_wave(self, wave: Path) -> None:
        """Begin to write the FST file `wave`; needs a library built with `trace=True`."""
        if not self._library.traced():
            raise SimulationError("wave file: the simulator must be built with tracing, not without")
        require_wave_file(wave)
        if not self._library.wave_open(self._open_engine, os.fsencode(wave)):
            raise SimulationError(f"wave file '{wave}': must be one that can be written, not refuse to open")

    def close_wave(self) -> None:
        """End the wave file, if there is one."""
        self._library.wave_close(self._open_engine)

    def fail_burst(self, master: str, burst: int) -> None:
        """Let the memory answer a burst with an error, once: the next one of that master (0), the one after it (1)...

        The masters are `simulation.register.MASTERS`.
        """
        self._library.fail_burst(self._open_engine, MASTERS.index(master), burst)

    def stick(self, channel: str, transfers: int) -> None:
        """Let a channel of the memory port move no more, from the transfer on that many behind this one; until a reset.

        The channels are `simulation.register.CHANNELS`.
        """
        self._library.stick(self._open_engine, CHANNELS.index(channel), transfers)

    def reset(self) -> None:
        """Reset the engine and its registers by its reset port; memory stays as it is."""
        if not self._library.reset(self._open_engine):
            raise SimulationError(f"simulator: the model must start, not fail with '{self._library.last_error()}'")

    def _step(self, cycles: int) -> Outcome:
        outcome = ctypes.c_uint32()
        goes_on = self._library.step(self._open_engine, cycles, ctypes.byref(outcome))
        printed = self._library.printed().decode(errors="replace").strip()
        if not goes_on:
            raise SimulationError("simulation: the model must go on, not fail with "
                                  f"'{printed or self._library.last_error()}'")
        if printed:
            logger.info("engine: %s", printed)
        return Outcome(outcome.value)

    def _require_inside(self, verb: str, address: int, count: int) -> None:
        if not (0 <= address and 0 <= count and address + count <= self.memory_bytes):
            raise SimulationError(f"memory: must {verb} inside its {self.memory_bytes} bytes, not {count} bytes at "
                                  f"{address:#010x}")

