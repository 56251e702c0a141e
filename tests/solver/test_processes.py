"""Two processes by torchrun against one with twice the batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from cortado.frontends.caffemodel import read_caffemodel
from cortado.frontends.solver_file import read_solver
from cortado.solver.processes import any_process, of_all_processes, process_count, process_group, process_rank
from cortado.solver.solver import Solver

# No dropout and no batch norm, whose numbers belong to each process.
NETWORK = """
name: "n"
layer {{ name: "d" type: "Dataset" top: "data" top: "label"
        dataset_param {{ name: "digits" part: TRAINING batch_size: {batch} shuffle: true }} }}
layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param {{ num_output: 4 kernel_size: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "relu" type: "ReLU" bottom: "conv" top: "conv" }}
layer {{ name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
        inner_product_param {{ num_output: 10 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }}
layer {{ name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include {{ phase: TEST }} }}
"""
SOLVER = """
net: "net.prototxt" base_lr: 0.1 momentum: 0.9 weight_decay: 0.01 random_seed: 5 max_iter: 6 snapshot: 3
test_iter: 1 test_interval: 3 display: 2 snapshot_prefix: "s" clip_gradients: 1
"""


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Trains in so many processes; the weights after so many iterations."""

    def run(name, processes, batch, *more):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "net.prototxt").write_text(NETWORK.format(batch=batch))
        (folder / "solver.prototxt").write_text(SOLVER)
        if processes == 1:
            monkeypatch.chdir(folder)
            Solver(read_solver("solver.prototxt")).solve()
        else:
            with socket.socket() as free:
                free.bind(("localhost", 0))
                port = free.getsockname()[1]
            subprocess.run([sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}",
                            f"--master-port={port}", "-m", "cortado", "train", "--solver", "solver.prototxt", *more],
                           cwd=folder, check=True, capture_output=True, timeout=300,
                           env={**os.environ, "OMP_NUM_THREADS": "1"})
        return {iteration: read_caffemodel(folder / f"s_iter_{iteration}.caffemodel") for iteration in (3, 6)}

    return run


def test_two_equal_one_with_the_doubled_batch(train):
    one, two = train("one", 1, 16), train("two", 2, 8)
    for iteration, weights in one.items():
        for name, blobs in weights.items():
            for blob, other in zip(blobs, two[iteration][name], strict=True):
                np.testing.assert_allclose(other, blob, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_two_restored_are_equal_to_the_bit(train, tmp_path):
    whole = train("two", 2, 8)
    again = train("two", 2, 8, "--snapshot", "s_iter_3.solverstate")
    for name, blobs in whole[6].items():
        for blob, other in zip(blobs, again[6][name], strict=True):
            np.testing.assert_array_equal(other, blob)


def test_one_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with process_group():
        assert (process_rank(), process_count()) == (0, 1)
        assert any_process(True)
        assert not any_process(False)
        assert of_all_processes({"a": np.ones(1)}) == [{"a": np.ones(1)}]
