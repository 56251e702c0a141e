"""A simulated engine with its memory, driven by registers as a board would be."""

from __future__ import annotations

import ctypes
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from cortado.errors import CycleLimitError, DeadlockError, SimulationError
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.descriptor import ErrorCode
from cortado.gateware.register import Control, Interrupt, Register, Status, counter_registers
from cortado.simulation.counters import Counters
from cortado.simulation.library import EngineLibrary, Options, Outcome
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.register import MASTERS

logger = logging.getLogger(__name__)

# Cycles without a transfer on any channel after which a job is given up.
DEADLOCK_CYCLES = 20_000
# One call of the library: short enough that Ctrl-C and progress feel immediate.
STEP_SECONDS = 0.2
FIRST_STEP_CYCLES = 2_000


def require_wave_file(wave: Path) -> None:
    """Raise `SimulationError` unless a wave can be written to the file `wave`; what is there stays."""
    try:
        is_new = not wave.exists()
        wave.open("ab").close()
        if is_new:
            wave.unlink()
    except OSError as error:
        raise SimulationError(f"wave file '{wave}': must be one that can be written, not refuse with "
                              f"'{error.strerror}'") from error


class Simulator:
    """One simulated engine: registers, memory and jobs. A context manager; closing it frees the model.

    `library` is what `build_library` made, `memory_bytes` the size of the memory, all zeros at first.
    """

    def __init__(self, library: Path, memory_model: MemoryModel, memory_bytes: int) -> None:
        self._engine = None
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

    def run(self, descriptor_address: int, descriptor_count: int, *, max_cycles: int | None = None,
            progress: Callable[[int], None] | None = None, wave: Path | None = None) -> Counters:
        """Run the job whose descriptors are in memory until the engine is idle again; what it counted.

        `progress` is called several times a second with the cycles so far. `wave` writes an FST file of the run and
        needs a library built with `trace=True`. Raises `CycleLimitError` after `max_cycles`, `DeadlockError` when no
        channel moves any more, `SimulationError` for an engine error or a burst outside memory. After an error or
        Ctrl-C the engine can run again; a job that has not ended by itself is ended by the engine's own reset.
        """
        if descriptor_count < 1:
            raise SimulationError(f"simulation: a job must have at least one descriptor, not {descriptor_count}")
        if wave is not None:
            self._open_wave(wave)
        try:
            self.register_write(Register.INTERRUPT_ENABLE, Interrupt.DONE | Interrupt.ERROR)
            self.register_write(Register.DESCRIPTOR_ADDRESS, descriptor_address)
            self.register_write(Register.DESCRIPTOR_COUNT, descriptor_count)
            self.register_write(Register.CONTROL, Control.START)
            self._run_to_end(max_cycles, progress)
            return self.counters()
        except BaseException:
            self._recover()
            raise
        finally:
            if wave is not None:
                self._library.wave_close(self._open_engine)

    def fail_burst(self, master: str, burst: int) -> None:
        """Let the memory answer a burst with an error, once: the next one of that master (0), the one after it (1)...

        The masters are `simulation.register.MASTERS`.
        """
        self._library.fail_burst(self._open_engine, MASTERS.index(master), burst)

    def reset(self) -> None:
        """Reset the engine and its registers by its reset port; memory stays as it is."""
        if not self._library.reset(self._open_engine):
            raise SimulationError(f"simulator: the model must start, not fail with '{self._library.last_error()}'")

    def _recover(self) -> None:
        """Ready for the next job: by the reset register, or, where the engine does not obey, by the reset port."""
        try:
            self._library.refused(self._open_engine)
            if self.register_read(Register.STATUS) & Status.BUSY:
                self.register_write(Register.CONTROL, Control.RESET)
                outcome = Outcome.RUNNING
                while outcome is Outcome.RUNNING:
                    outcome = self._step(FIRST_STEP_CYCLES)
                if outcome is not Outcome.INTERRUPT:
                    self.reset()
            self.register_write(Register.INTERRUPT_STATUS, Interrupt.DONE | Interrupt.ERROR)
        except SimulationError:
            self.reset()
        except BaseException:
            self.reset()
            raise

    def counters(self) -> Counters:
        """The counters of the last job."""
        return Counters(**{name: self._counter(name) for name in COUNTER_NAMES})

    def _counter(self, name: str) -> int:
        low, high = counter_registers(name)
        return self.register_read(high) << 32 | self.register_read(low)

    def _run_to_end(self, max_cycles: int | None, progress: Callable[[int], None] | None) -> None:
        first_cycle, step_cycles = self.cycle, FIRST_STEP_CYCLES
        outcome = Outcome.RUNNING
        while outcome is Outcome.RUNNING:
            done_cycles = self.cycle - first_cycle
            if max_cycles is not None:
                step_cycles = min(step_cycles, max_cycles - done_cycles)
                if step_cycles <= 0:
                    raise CycleLimitError(f"simulation: the job must end within {max_cycles} cycles, not go on; "
                                          "raise the limit (--max-cycles) if it should")
            start = time.perf_counter()
            outcome = self._step(step_cycles)
            seconds = time.perf_counter() - start
            step_cycles = max(1, min(2 * step_cycles, int(step_cycles * STEP_SECONDS / max(seconds, 1e-9))))
            if progress is not None:
                progress(self.cycle - first_cycle)
        self._require_done(outcome, self.cycle - first_cycle)

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

    def _require_done(self, outcome: Outcome, cycles: int) -> None:
        """Turn any other end of a job into its error."""
        if outcome is Outcome.DEADLOCK:
            raise DeadlockError(f"simulation: a channel must move within {self._deadlock_cycles} cycles, not all stand "
                                f"still after {cycles} cycles", streams=self._library.channel_states(self._open_engine))
        if outcome is Outcome.FAULT:
            rule = self._library.last_error()
            self.reset()
            raise SimulationError(f"engine: it must keep the rules of its bus, not break one after {cycles} cycles: "
                                  f"{rule}")
        self.register_write(Register.INTERRUPT_STATUS, Interrupt.DONE | Interrupt.ERROR)
        code = self.register_read(Register.ERROR)
        if code != ErrorCode.NONE:
            refused = self._library.refused(self._open_engine).decode()
            raise SimulationError(f"engine: the job must end without error, not with error code {_error_words(code)} "
                                  f"after {cycles} cycles" + (f"; {refused}" if refused else ""))

    def _open_wave(self, wave: Path) -> None:
        if not self._library.traced():
            raise SimulationError("wave file: the simulator must be built with tracing, not without")
        require_wave_file(wave)
        if not self._library.wave_open(self._open_engine, os.fsencode(wave)):
            raise SimulationError(f"wave file '{wave}': must be one that can be written, not refuse to open")

    def _require_inside(self, verb: str, address: int, count: int) -> None:
        if not (0 <= address and 0 <= count and address + count <= self.memory_bytes):
            raise SimulationError(f"memory: must {verb} inside its {self.memory_bytes} bytes, not {count} bytes at "
                                  f"{address:#010x}")


def _error_words(code: int) -> str:
    """An error code as number and words: 3 (bad checksum)."""
    known = code in ErrorCode.__members__.values()
    return f"{code} ({ErrorCode(code).name.lower().replace('_', ' ')})" if known else str(code)
