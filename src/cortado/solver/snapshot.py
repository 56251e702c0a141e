"""Snapshots: the weights, and beside them the state training goes on from."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from cortado.errors import ModelFileError
from cortado.frontends.caffemodel import encode_caffemodel, parse_caffemodel
from cortado.frontends.file import read_bytes, write_whole
from cortado.frontends.hdf5_caffemodel import encode_hdf5_caffemodel
from cortado.graph.solver_spec import SnapshotFormat
from cortado.graph.spec import Weights
from cortado.messages.hdf5 import is_hdf5
from cortado.messages.hdf5_solver_state import encode_hdf5_solver_state, parse_hdf5_solver_state
from cortado.messages.solver_state import SolverState, encode_solver_state, parse_solver_state
from cortado.net.net import Net

# The array of a solver state with the sha256 of the weights that belong to it.
CHECKSUM = "weights_sha256"

# The endings of weights and state.
ENDINGS = {SnapshotFormat.BINARYPROTO: (".caffemodel", ".solverstate"),
           SnapshotFormat.HDF5: (".caffemodel.h5", ".solverstate.h5")}


def snapshot_path(prefix: str, iteration: int, snapshot_format: SnapshotFormat) -> Path:
    """The solver state of an iteration; its weights have another ending."""
    return Path(f"{prefix}_iter_{iteration}{ENDINGS[snapshot_format][1]}")


def write_snapshot(path: Path, net: Net, state: SolverState, snapshot_format: SnapshotFormat,
                   diffs: Weights = MappingProxyType({})) -> None:
    """Write weights, with `diffs` by layer beside them, and state; `path` is that of `snapshot_path`.

    The state is written last and names the weights by their checksum, so there is a whole snapshot or none, whenever
    the process ends. Raises `ModelFileError`.
    """
    weights_ending, state_ending = ENDINGS[snapshot_format]
    target = path.with_name(path.name.removesuffix(state_ending) + weights_ending)
    if snapshot_format is SnapshotFormat.HDF5:
        weights = encode_hdf5_caffemodel(net.weights(), diffs, keep_double=True)
    else:
        types = {layer.name: layer.type for layer in net.spec.layers}
        weights = encode_caffemodel(net.spec.name, {name: (types[name], blobs)
                                                    for name, blobs in net.weights().items()}, diffs, keep_double=True)
    whole = replace(state, learned_net=str(target), arrays={
        **state.arrays, CHECKSUM: np.frombuffer(hashlib.sha256(weights).digest(), np.uint8)})
    write_whole(target, weights)
    write_whole(path, (encode_hdf5_solver_state if snapshot_format is SnapshotFormat.HDF5
                       else encode_solver_state)(whole))


def read_snapshot(path: Path) -> tuple[SolverState, Weights]:
    """The state in a .solverstate or .solverstate.h5 file and the weights that belong to it.

    They are looked for where the state says, and then beside it. Raises `ModelFileError` for a file that is no whole
    snapshot, and for weights that were changed since.
    """
    content = read_bytes(path)
    state = (parse_hdf5_solver_state if is_hdf5(content) else parse_solver_state)(content, path)
    named = Path(state.learned_net)
    target = named if named.is_file() else path.parent / named.name
    if not state.learned_net or not target.is_file():
        raise ModelFileError(f"a snapshot must have its weights, '{state.learned_net}', beside it", file=path)
    data = read_bytes(target)
    expected = state.arrays.get(CHECKSUM)
    if expected is not None and expected.tobytes() != hashlib.sha256(data).digest():
        raise ModelFileError(f"a snapshot must have the weights it was written with; '{target}' was changed since",
                             file=path)
    return state, parse_caffemodel(data, file=target, keep_double=True)
