"""The compiled kernels as Python functions."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np

from cortado.errors import SimulationError
from cortado.hls.convolution_call import KernelCall


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

    def call(self, call: KernelCall, source: np.ndarray, weights: np.ndarray, target: np.ndarray) -> None:
        """Run a kernel on packed maps and weights, all uint8 and contiguous; writes to `target`."""
        function = getattr(self._library, call.kernel)
        function.restype = None
        pointers = (_pointer(array, offset) for array, offset in (
            (source, call.input_offset), (weights, call.weights_offset), (target, call.output_offset)))
        function(*pointers, *(ctypes.c_int(value) for value in call.scalars.values()))


def _pointer(array: np.ndarray, offset: int) -> ctypes.c_void_p:
    assert array.dtype == np.uint8 and array.flags.c_contiguous
    # The words of a beat are 64 bits wide.
    assert (array.ctypes.data + offset) % 8 == 0, "a beat lies on a word"
    return ctypes.c_void_p(array.ctypes.data + offset)
