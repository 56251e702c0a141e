"""The embedded default network: it is what its script makes, and it is good."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from cortado.frontends.digits import held_out_digits
from cortado.frontends.model import load_model
from cortado.net.net import Net
from cortado.resources import models_root

FOLDER = models_root() / "digits"


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
    assert (net.inputs, net.outputs) == (("data", "label"), ("loss",))


@pytest.mark.slow
def test_training_again_writes_the_same_bytes(tmp_path):
    subprocess.run([sys.executable, FOLDER / "train.py", tmp_path], check=True, capture_output=True,
                   env={**os.environ, "PYTHONWARNINGS": "error"})
    for name in ("digits.caffemodel", "model.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
