"""The driver's part of a job: registers, interrupt, error code, recovery. The same for every board."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

from cortado.device.transport import Transport
from cortado.errors import ConnectionLostError, CycleLimitError, DeviceError, DeviceTimeoutError, EngineError
from cortado.gateware.cycle_counters import COUNTER_NAMES
from cortado.gateware.descriptor import ErrorCode
from cortado.gateware.register import Control, Interrupt, Register, Status, counter_registers
from cortado.simulation.counters import Counters

logger = logging.getLogger(__name__)

# Between two looks at the status: short enough that Ctrl-C and progress feel immediate.
LOOK_SECONDS = 0.2
# Without interrupts: the first look comes early, for short jobs, and the others ever later.
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 20e-6, 0.01
# A reset waits for the bursts in flight, nothing else.
RESET_SECONDS = 5.0

BOTH = Interrupt.DONE | Interrupt.ERROR


class Driver:
    """Runs jobs whose descriptors are in memory, over any transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.lost_interrupts = 0
        """Jobs that ended without their interrupt; the status register showed it."""
        self.is_usable = True
        """False after an error from which the engine could not be brought back; it must be programmed again."""

    def identity(self) -> tuple[int, str]:
        """Identity and configuration hash as the engine has them."""
        identity, low, high = self._transport.registers_read(
            [Register.IDENTITY, Register.HASH_LOW, Register.HASH_HIGH])
        return identity, f"{high << 32 | low:016x}"

    def run(self, descriptor_address: int, descriptor_count: int, *, max_cycles: int | None = None,
            timeout_s: float | None = None, progress: Callable[[int], None] | None = None,
            stopped: Callable[[], bool] | None = None, look_cycles: int | None = None,
            looked: Callable[[Mapping[str, int]], None] | None = None) -> Counters:
        """Run the job whose descriptors are in memory until the engine is idle again; what it counted.

        `progress` is called several times a second with the cycles so far, `stopped` is asked as often and ends the
        job. `looked` is given the counters by name at the end and every `look_cycles` before it, or as near to that as
        the transport allows. Raises `EngineError` for an error code, `CycleLimitError` after `max_cycles`,
        `DeviceTimeoutError` after `timeout_s` seconds, `DeviceError` when stopped, and what the transport raises. After
        an error the engine can run again: a job that has not ended by itself is ended by the reset register.
        """
        if descriptor_count < 1:
            raise DeviceError(f"engine: a job must have at least one descriptor, not {descriptor_count}")
        try:
            self._start(descriptor_address, descriptor_count)
            status = self._wait(max_cycles, timeout_s, progress, stopped, look_cycles, looked)
            self._require_done(status)
            counters = self.counters()
            if look_cycles is not None and looked is not None:
                looked(asdict(counters))
            return counters
        except BaseException:
            self._recover()
            raise

    def counters(self) -> Counters:
        """The counters of the last job."""
        return Counters(**dict(zip(COUNTER_NAMES, self._counts(*COUNTER_NAMES), strict=True)))

    def _counts(self, *names: str) -> list[int]:
        """Counters by name."""
        # The low word first: reading it keeps the high one.
        words = self._transport.registers_read([register for name in names for register in counter_registers(name)])
        return [low | high << 32 for low, high in zip(words[::2], words[1::2], strict=True)]

    def _start(self, address: int, count: int) -> None:
        write = self._transport.register_write
        write(Register.INTERRUPT_ENABLE, BOTH)
        write(Register.DESCRIPTOR_ADDRESS, address)
        write(Register.DESCRIPTOR_COUNT, count)
        write(Register.CONTROL, Control.START)

    def _wait(self, max_cycles: int | None, timeout_s: float | None, progress: Callable[[int], None] | None,
              stopped: Callable[[], bool] | None, look_cycles: int | None,
              looked: Callable[[Mapping[str, int]], None] | None) -> Status:
        """The status once the engine is idle."""
        transport, looks, cycles = self._transport, 0, 0
        end = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left = None if max_cycles is None else max_cycles - cycles
            if look_cycles is not None:
                left = look_cycles if left is None else min(left, look_cycles)
            seconds = min(LOOK_SECONDS, max(end - time.monotonic(), 0.0))
            came = transport.interrupts and transport.wait_interrupt(seconds, left)
            status = Status(transport.register_read(Register.STATUS) & (Status.BUSY | Status.DONE | Status.ERROR))
            if not status & Status.BUSY:
                # It may have come between the two looks.
                if transport.interrupts and not came and not transport.wait_interrupt(0.0):
                    self.lost_interrupts += 1
                    logger.warning("engine: an interrupt must come at the end of a job; the status register shows that "
                                   "the job has ended, the interrupt was lost")
                return status
            if came:
                logger.warning("engine: an interrupt must come at the end of a job, not while it runs")
                transport.register_write(Register.INTERRUPT_STATUS, BOTH)
            if stopped is not None and stopped():
                raise DeviceError("engine: the job was ended by the caller")
            if look_cycles is not None and looked is not None:
                counts = dict(zip(COUNTER_NAMES, self._counts(*COUNTER_NAMES), strict=True))
                cycles = counts["cycles"]
                looked(counts)
            elif progress is not None or max_cycles is not None:
                [cycles] = self._counts("cycles")
            if progress is not None:
                progress(cycles)
            if max_cycles is not None and cycles >= max_cycles:
                raise CycleLimitError(f"engine: the job must end within {max_cycles} cycles, not go on; raise the "
                                      "limit (--max-cycles) if it should")
            if time.monotonic() > end:
                raise DeviceTimeoutError(f"engine: the job must end within {timeout_s:g} seconds, not still be busy "
                                         f"after {self._counts('cycles')[0]} cycles; raise the limit (--timeout) if it "
                                         "should")
            if not transport.interrupts:
                time.sleep(min(FIRST_POLL_SECONDS * 2**min(looks, 20), LONGEST_POLL_SECONDS))
                looks += 1

    def _require_done(self, status: Status) -> None:
        """Turn any other end of a job into its error."""
        self._transport.register_write(Register.INTERRUPT_STATUS, BOTH)
        code = self._transport.register_read(Register.ERROR)
        if code != ErrorCode.NONE:
            words = self._transport.diagnosis()
            raise EngineError(f"engine: the job must end without error, not with error code {_error_words(code)} after "
                              f"{self._counts('cycles')[0]} cycles" + (f"; {words}" if words else ""), code=code)
        if status != Status.DONE:
            raise DeviceError(f"engine: its status must be {Status.DONE.value} (done) after a job, not {status.value}; "
                              "it has not taken the start")

    def _recover(self) -> None:
        """Ready for the next job: by the reset register, or, where the engine does not obey, from outside."""
        try:
            self._reset_if_busy()
        except DeviceError:
            self._reset_from_outside()
        except BaseException:
            self._reset_from_outside()
            raise

    def _reset_if_busy(self) -> None:
        transport = self._transport
        transport.diagnosis()
        if transport.register_read(Register.STATUS) & Status.BUSY:
            transport.register_write(Register.CONTROL, Control.RESET)
            begin = time.monotonic()
            while transport.register_read(Register.STATUS) & Status.BUSY:
                if transport.interrupts:
                    transport.wait_interrupt(LOOK_SECONDS)
                else:
                    time.sleep(FIRST_POLL_SECONDS)
                if time.monotonic() - begin > RESET_SECONDS:
                    raise DeviceError(f"engine: a reset must end the job within {RESET_SECONDS:g} seconds")
        transport.register_write(Register.INTERRUPT_STATUS, BOTH)

    def _reset_from_outside(self) -> None:
        try:
            self._transport.reset()
        except ConnectionLostError:
            # Whoever lost it has said so.
            self.is_usable = False
        except DeviceError as error:
            self.is_usable = False
            logger.warning("engine: it does not obey its reset register, and %s", error)


def _error_words(code: int) -> str:
    """An error code as number and words: 3 (bad checksum)."""
    known = code in ErrorCode.__members__.values()
    return f"{code} ({ErrorCode(code).name.lower().replace('_', ' ')})" if known else str(code)
