from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from cortado.errors import ModelFileError
from cortado.messages.solver_state import SolverState, encode_solver_state, parse_solver_state
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
