"""The compiled kernels as Python functions."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

from cortado.errors import SimulationError
from cortado.hls.kernel_calls import KernelCall


class KernelLibrary:
    """A loaded library of kernels. Kernels run without Python's lock, and keep nothing between calls.

    Raises `SimulationError` if the file is no such library.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._library = ctypes.CDLL(str(path))
        except OSError as error:
            raise SimulationError(f"kernel library '{path}': must be one built by cortado, not refuse with "
                                  f"'{error}'") from error

    def call(self, kernel: str, *arguments: np.ndarray | int | float) -> None:
        """Run a kernel: arrays of bytes, uint8 and contiguous, for its pointers, then its scalars."""
        function = getattr(self._library, kernel)
        function.restype = None
        function(*(_argument(argument) for argument in arguments))

    def run(self, call: KernelCall, *memory: np.ndarray) -> None:
        """One call on the bytes behind each pointer."""
        self.call(call.kernel, *(part[offset:] for part, offset in zip(memory, call.offsets, strict=True)),
                  *call.scalars.values())


def _argument(argument: np.ndarray | int | float) -> ctypes.c_void_p | ctypes.c_int | ctypes.c_float:
    if isinstance(argument, np.ndarray):
        assert argument.dtype == np.uint8, argument.dtype
        assert argument.flags.c_contiguous, "a kernel reads bytes one behind the other"
        # The words of a beat are 64 bits wide.
        assert argument.ctypes.data % 8 == 0, "a beat lies on a word"
        return ctypes.c_void_p(argument.ctypes.data)
    return ctypes.c_float(argument) if isinstance(argument, float) else ctypes.c_int(argument)
