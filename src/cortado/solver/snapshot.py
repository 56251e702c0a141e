"""Snapshots: the weights, and beside them the state training goes on from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from cortado.errors import ModelFileError
from cortado.frontends.caffemodel import encode_caffemodel, parse_caffemodel
from cortado.frontends.file import read_bytes, write_whole
from cortado.graph.spec import Weights
from cortado.messages.solver_state import SolverState, encode_solver_state, parse_solver_state
from cortado.net.net import Net

# The array of a solver state with the sha256 of the weights that belong to it.
CHECKSUM = "weights_sha256"


def snapshot_path(prefix: str, iteration: int) -> Path:
    """The solver state of an iteration; its weights have the ending .caffemodel."""
    return Path(f"{prefix}_iter_{iteration}.solverstate")


def write_snapshot(path: Path, net: Net, state: SolverState) -> None:
    """Write weights and state. The state is written last and names the weights by their checksum, so there is a whole
    snapshot or none, whenever the process ends. Raises `ModelFileError`.
    """
    types = {layer.name: layer.type for layer in net.spec.layers}
    weights = encode_caffemodel(net.spec.name, {name: (types[name], blobs) for name, blobs in net.weights().items()},
                                keep_double=True)
    target = path.with_suffix(".caffemodel")
    write_whole(target, weights)
    write_whole(path, encode_solver_state(SolverState(
        iteration=state.iteration, learned_net=str(target), history=state.history, current_step=state.current_step,
        arrays={**state.arrays, CHECKSUM: np.frombuffer(hashlib.sha256(weights).digest(), np.uint8)})))


def read_snapshot(path: Path) -> tuple[SolverState, Weights]:
    """The state in a .solverstate file and the weights that belong to it.

    They are looked for where the state says, and then beside it. Raises `ModelFileError` for a file that is no whole
    snapshot, and for weights that were changed since.
    """
    state = parse_solver_state(read_bytes(path), path)
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
