"""The C interface of a simulator library, as Python functions."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_uint32, c_uint64, c_void_p
from enum import IntEnum
from pathlib import Path

from cortado.errors import SimulationError
from cortado.simulation.memory_model import MemoryModel
from cortado.simulation.register import CHANNELS


class Outcome(IntEnum):
    """How a call of `step` ended; numbered as in `sim/engine/interface.h`."""

    RUNNING = 0
    INTERRUPT = 1
    DEADLOCK = 2
    FAULT = 3


class Options(ctypes.Structure):
    """Laid out as `Options` in `sim/engine/interface.h`."""

    _fields_ = (
        ("memory_bytes", c_uint64),
        ("deadlock_cycles", c_uint64),
        ("stall_seed", c_uint64),
        ("stall_threshold", c_uint32),
        ("latency_cycles", c_uint32),
        ("outstanding_bursts", c_uint32),
    )

    @classmethod
    def of(cls, model: MemoryModel, memory_bytes: int, deadlock_cycles: int) -> Options:
        """The structure for a memory model."""
        return cls(memory_bytes=memory_bytes, deadlock_cycles=deadlock_cycles, stall_seed=model.stall_seed,
                   stall_threshold=int(model.stall_probability * 2**32), latency_cycles=model.latency_cycles,
                   outstanding_bursts=model.outstanding_bursts)


class ChannelState(ctypes.Structure):
    """Laid out as `ChannelState` in `sim/engine/interface.h`."""

    _fields_ = (("transfers", c_uint64), ("valid", c_uint32), ("ready", c_uint32))


# Result and argument types of every function, by the name after `cortado_`.
SIGNATURES = {
    "beat_bits": (c_uint32, ()),
    "traced": (c_bool, ()),
    "error": (c_char_p, ()),
    "printed": (c_char_p, ()),
    "create": (c_void_p, (POINTER(Options),)),
    "destroy": (None, (c_void_p,)),
    "reset": (c_bool, (c_void_p,)),
    "register_read": (c_bool, (c_void_p, c_uint32, POINTER(c_uint32))),
    "register_write": (c_bool, (c_void_p, c_uint32, c_uint32)),
    "memory_write": (c_bool, (c_void_p, c_uint64, c_void_p, c_uint64)),
    "memory_read": (c_bool, (c_void_p, c_uint64, c_void_p, c_uint64)),
    "step": (c_bool, (c_void_p, c_uint64, POINTER(c_uint32))),
    "cycle": (c_uint64, (c_void_p,)),
    "fail_burst": (None, (c_void_p, c_uint32, c_uint64)),
    "stick": (None, (c_void_p, c_uint32, c_uint64)),
    "refused": (c_char_p, (c_void_p,)),
    "channels": (None, (c_void_p, POINTER(ChannelState))),
    "wave_open": (c_bool, (c_void_p, c_char_p)),
    "wave_close": (None, (c_void_p,)),
}


class EngineLibrary:
    """A loaded simulator library: each function of `SIGNATURES` is an attribute. `step` runs without Python's lock.

    Raises `SimulationError` if the file is no simulator library.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            library = ctypes.CDLL(str(path))
            for name, (result, arguments) in SIGNATURES.items():
                function = getattr(library, f"cortado_{name}")
                function.restype, function.argtypes = result, arguments
                setattr(self, name, function)
        except (OSError, AttributeError) as error:
            raise SimulationError(f"simulator library '{path}': must be one built by cortado, not refuse with "
                                  f"'{error}'") from error

    def last_error(self) -> str:
        """Words of the last call that failed."""
        return self.error().decode()

    def channel_states(self, engine: int) -> dict[str, dict[str, int]]:
        """Valid, ready and transfers of each channel of the memory port."""
        states = (ChannelState * len(CHANNELS))()
        self.channels(engine, states)
        return {name: {"valid": state.valid, "ready": state.ready, "transfers": state.transfers}
                for name, state in zip(CHANNELS, states, strict=True)}
