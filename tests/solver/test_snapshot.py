from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from cortado.errors import ModelFileError
from cortado.messages.hdf5 import encoded_hdf5, is_hdf5
from cortado.messages.hdf5_solver_state import encode_hdf5_solver_state, parse_hdf5_solver_state
from cortado.messages.solver_state import SolverState, encode_solver_state, parse_solver_state
from cortado.messages.wire import WireReader
from cortado.solver.snapshot import read_snapshot
from cortado.solver.solver import Solver

STATE = SolverState(iteration=300, learned_net="a.caffemodel", history=(np.ones((2, 3), np.float32),), current_step=2,
                    arrays={"x": np.arange(3), "y": np.array([0.5]), "z": np.zeros((2, 0), np.uint8)})


@pytest.fixture
def snapshot(write_solver):
    solver = Solver(write_solver("max_iter: 1 snapshot: 1 momentum: 0.9"))
    solver.solve()
    return solver.snapshot()


def test_a_state_comes_back_as_it_was():
    state = parse_solver_state(encode_solver_state(STATE), "f")
    assert (state.iteration, state.learned_net, state.current_step) == (300, "a.caffemodel", 2)
    np.testing.assert_array_equal(state.history[0], STATE.history[0])
    assert {name: (value.dtype, value.tolist()) for name, value in state.arrays.items()} == {
        name: (value.dtype, value.tolist()) for name, value in STATE.arrays.items()}


def test_a_state_as_caffe_writes_it():
    """Field numbers of `caffe.proto`: iter 1, learned_net 2, history 3 (BlobProto: data 5, shape 7), current_step 4."""
    blob = b"\x2a\x04\x00\x00\x80\x3f" + b"\x3a\x03\x0a\x01\x01"
    data = b"\x08\x07" + b"\x12\x01m" + b"\x1a" + bytes([len(blob)]) + blob + b"\x20\x02"
    state = parse_solver_state(data, "f")
    assert (state.iteration, state.learned_net, state.current_step, state.arrays) == (7, "m", 2, {})
    np.testing.assert_array_equal(state.history, [[1.0]])
    assert encode_solver_state(SolverState(iteration=7, learned_net="m", history=(np.ones(1, np.float32),),
                                           current_step=2)) == data


@pytest.mark.parametrize(("data", "message"), [
    (b"", "f: byte 0: a solverstate must hold an iteration and a step of at least 0: this is none"),
    (b"\x08", "f: byte 1: a number is cut off: the file is truncated or no solverstate"),
    (b"\x0a\x00", "f: byte 0: the iteration cannot have wire type LENGTH: this is no solverstate"),
    (encode_solver_state(STATE)[:-1],
     r"f: byte \d+: field 1000 must have \d+ bytes, \d+ are left: the file is truncated or no solverstate"),
])
def test_what_is_no_state(data, message):
    with pytest.raises(ModelFileError, match=f"^{message}$"):
        parse_solver_state(data, "f")


def test_a_state_in_hdf5_comes_back_as_it_was():
    state = parse_hdf5_solver_state(encode_hdf5_solver_state(STATE), "f")
    assert (state.iteration, state.learned_net, state.current_step) == (300, "a.caffemodel", 2)
    np.testing.assert_array_equal(state.history[0], STATE.history[0])
    assert {name: (value.dtype, value.tolist()) for name, value in state.arrays.items()} == {
        name: (value.dtype, value.tolist()) for name, value in STATE.arrays.items()}


def test_a_state_in_hdf5_as_caffe_writes_it():
    """SGDSolver::SnapshotSolverStateToHDF5; a text ends with a byte of 0."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["iter"], file["current_step"] = np.array([7], np.int32), np.array([2], np.int32)
        file["learned_net"] = np.array(b"m", "S2")
        file["history/0"] = np.ones((1, 2), np.float32)
    state = parse_hdf5_solver_state(buffer.getvalue(), "f")
    assert (state.iteration, state.learned_net, state.current_step, state.arrays) == (7, "m", 2, {})
    np.testing.assert_array_equal(state.history, [[[1.0, 1.0]]])
    with h5py.File(io.BytesIO(encode_hdf5_solver_state(state))) as file:
        assert (file["iter"][:].tolist(), file["learned_net"].dtype.str, list(file["history"])) == ([7], "|S2", ["0"])


def changed(**arrays):
    """The state with some arrays changed, or left out where they are None."""
    whole = {"iter": [3], "current_step": [0], "learned_net": np.array(b"m", "S2"), "history/0": [1.0], **arrays}
    return encoded_hdf5({name: np.asarray(value) for name, value in whole.items() if value is not None})


@pytest.mark.parametrize(("data", "message"), [
    (changed(iter=None), "a solverstate must hold 'iter', this file has only current_step, history, learned_net"),
    (changed(iter=[-1]), ("a solverstate must hold an iteration and a step of at least 0, and arrays numbered from 0: "
                         "this is none")),
    (changed(iter=[0.5]), "an HDF5 file must hold together, this one is damaged: a value is of type float64"),
    (changed(**{"history/2": [1.0]}), ("a solverstate must hold an iteration and a step of at least 0, and arrays "
                                      "numbered from 0: this is none")),
])
def test_what_is_no_state_in_hdf5(data, message):
    with pytest.raises(ModelFileError) as caught:
        parse_hdf5_solver_state(data, "f")
    assert str(caught.value) == f"f: {message}"


@pytest.mark.parametrize("snapshot_format", ["HDF5", "BINARYPROTO"])
def test_diffs_of_a_snapshot_are_what_the_last_step_subtracted(write_solver, snapshot_format):
    solver = Solver(write_solver(f"max_iter: 2 snapshot: 1 momentum: 0.9 snapshot_diff: true snapshot_format: "
                                 f"{snapshot_format}"))
    solver.step(1)
    before = solver.net.weights()
    solver.step(1)
    path, after = solver.snapshot(), solver.net.weights()
    data = path.with_name(path.name.replace("solverstate", "caffemodel")).read_bytes()
    for name, blobs in after.items():
        if name != "norm":
            for index, blob in enumerate(blobs):
                subtracted = before[name][index] - blob
                found = diff_of(data, name, index)
                # A bias before BatchNorm moves nothing.
                assert index or np.abs(found).max() > 1e-6
                np.testing.assert_allclose(found.reshape(blob.shape), subtracted, atol=1e-7)


def diff_of(data, layer, index):
    """The diff in a caffemodel: field 6 of a BlobProto, which is in field 7 of a layer, of field 100."""
    if is_hdf5(data):
        with h5py.File(io.BytesIO(data)) as file:
            return file[f"diff/{layer}/{index}"][:]
    reader = WireReader(data, "f")
    for part in reader.whole_file():
        fields = list(reader.inside(part)) if part.number == 100 else []
        if fields and bytes(fields[0].value).decode() == layer:
            blobs = [field for field in fields if field.number == 7]
            return next(np.frombuffer(field.value, "<f4") for field in reader.inside(blobs[index])
                        if field.number == 6)
    raise AssertionError(layer)


def test_weights_that_were_changed_since(snapshot):
    weights = snapshot.with_suffix(".caffemodel")
    weights.write_bytes(weights.read_bytes() + b"\x0a\x00")
    with pytest.raises(ModelFileError) as caught:
        read_snapshot(snapshot)
    assert str(caught.value) == (f"{snapshot}: a snapshot must have the weights it was written with; '{weights}' was "
                                 "changed since")


def test_weights_are_found_beside_a_state_that_was_moved(snapshot, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for ending in (".solverstate", ".caffemodel"):
        snapshot.with_suffix(ending).rename(folder / snapshot.with_suffix(ending).name)
    assert read_snapshot(folder / snapshot.name)[0].iteration == 1
    (folder / snapshot.name).with_suffix(".caffemodel").unlink()
    with pytest.raises(ModelFileError) as caught:
        read_snapshot(folder / snapshot.name)
    assert str(caught.value) == (f"{folder / snapshot.name}: a snapshot must have its weights, "
                                 f"'{snapshot.with_suffix('.caffemodel')}', beside it")


KILLED = """
import os, signal, sys
import torch
torch.set_num_threads(1)
from cortado.frontends import file
from cortado.frontends.solver_file import read_solver
from cortado.solver.solver import Solver
solver = Solver(read_solver(sys.argv[1]))
solver.step(1)
solver.snapshot()
solver.step(1)
for last in range(1, 5):
    child = os.fork()
    if not child:
        left = last
        def dying(call):
            def wrapped(*arguments):
                global left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*arguments)
            return wrapped
        os.fsync, os.replace = dying(os.fsync), dying(os.replace)
        solver.snapshot()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), os.path.exists(sys.argv[2]))
solver.snapshot()
"""


def test_a_process_that_is_killed_leaves_a_whole_snapshot_or_none(write_solver, tmp_path):
    """Killed before each of the calls that bring the second snapshot to the disk, it is not there at all, and the first
    one is whole.
    """
    write_solver("max_iter: 9")
    files = (tmp_path / "solver.prototxt", tmp_path / "s_iter_2.solverstate")
    ended = subprocess.run([sys.executable, "-c", KILLED, *files], check=True, capture_output=True, text=True,
                           env={**os.environ, "PYTHONWARNINGS": "error"})
    assert ended.stdout.splitlines() == [f"{-signal.SIGKILL} False"] * 4
    for iteration in (1, 2):
        assert read_snapshot(tmp_path / f"s_iter_{iteration}.solverstate")[0].iteration == iteration
