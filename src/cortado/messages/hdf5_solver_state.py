"""SolverState in HDF5: files with the ending .solverstate.h5.

Source: `sgd_solver.cpp` of BVLC/caffe, SnapshotSolverStateToHDF5. What an uninterrupted run needs besides is in a group
of its own, which Caffe does not look for.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cortado.errors import ModelFileError
from cortado.messages.hdf5 import array_of, arrays_below, encoded_hdf5, opened
from cortado.messages.solver_state import SolverState

HISTORY, ARRAYS = "history", "cortado"


def encode_hdf5_solver_state(state: SolverState) -> bytes:
    """The bytes of a .solverstate.h5 file; equal states give equal bytes."""
    name = state.learned_net.encode()
    return encoded_hdf5({
        "iter": np.array([state.iteration], np.int32),
        # Caffe reads up to a byte of 0.
        "learned_net": np.array(name, f"S{len(name) + 1}"),
        "current_step": np.array([state.current_step], np.int32),
        **{f"{HISTORY}/{index}": blob.astype(np.float32, copy=False) for index, blob in enumerate(state.history)},
        **{f"{ARRAYS}/{name}": value for name, value in state.arrays.items()}})


def parse_hdf5_solver_state(data: bytes, file: str | Path) -> SolverState:
    """The state in the bytes of a .solverstate.h5 file; raises `ModelFileError` for anything else."""
    with opened(data, file) as found:
        for name in ("iter", "learned_net", "current_step", HISTORY):
            if name not in found:
                raise ModelFileError(f"a solverstate must hold '{name}', this file has only "
                                     f"{', '.join(found) or 'nothing'}", file=file)
        iteration, step = (_of_kind("iu", array_of(found[name], file)) for name in ("iter", "current_step"))
        learned_net = _of_kind("S", array_of(found["learned_net"], file))
        history = arrays_below(found[HISTORY], file)
        if iteration < 0 or step < 0 or set(history) != {str(index) for index in range(len(history))}:
            raise ModelFileError("a solverstate must hold an iteration and a step of at least 0, and arrays numbered "
                                 "from 0: this is none", file=file)
        return SolverState(
            iteration=iteration, learned_net=learned_net.decode(),
            history=tuple(history[str(index)].astype(np.float32) for index in range(len(history))), current_step=step,
            arrays=arrays_below(found[ARRAYS], file) if ARRAYS in found else {})


def _of_kind(kinds: str, array: np.ndarray) -> int | bytes:
    """The one value of an array; `ValueError` for others."""
    if array.dtype.kind not in kinds:
        raise ValueError(f"a value is of type {array.dtype}")
    return array.reshape(1)[0].item()
