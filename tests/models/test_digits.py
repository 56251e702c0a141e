"""The embedded default network: it is what its solver makes, and it is good."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from cortado.datasets.digits import held_out_digits
from cortado.frontends.model import load_model
from cortado.net.net import Net
from cortado.resources import models_root

FOLDER = models_root() / "digits"

# What every x86-64 processor has, on one thread: otherwise sums are ordered by what the processor at hand has more.
EVERYWHERE = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "SSE41",
              "OMP_NUM_THREADS": "1"}


def test_accuracy_on_held_out_digits():
    model = load_model("digits")
    pictures, labels = held_out_digits()
    with torch.no_grad():
        probabilities = Net(model.spec, model.weights)({"data": torch.from_numpy(pictures)})["prob"]
    assert (probabilities.argmax(1).numpy() == labels).mean() >= 0.98


def test_the_weights_are_small_and_pinned():
    assert (FOLDER / "digits.caffemodel").stat().st_size < 400 * 1024
    assert load_model("digits").metadata.weights_sha256


def test_the_training_network_has_the_same_weights():
    model = load_model("digits", phase="TRAIN")
    net = Net(model.spec, model.weights)
    assert (net.inputs, net.outputs) == ((), ("loss",))


@pytest.mark.slow
def test_training_again_writes_the_same_bytes(tmp_path):
    subprocess.run([sys.executable, "-m", "cortado", "train", "--solver", FOLDER / "solver.prototxt"], check=True,
                   capture_output=True, cwd=tmp_path, env={**os.environ, **EVERYWHERE, "PYTHONWARNINGS": "error"})
    written = (tmp_path / "digits_iter_2760.caffemodel").read_bytes()
    assert written == (FOLDER / "digits.caffemodel").read_bytes()
