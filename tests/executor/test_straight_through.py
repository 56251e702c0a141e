"""Training with FPGA layers: forward as the executor runs a plan, backward as the float network."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from cortado.datasets.digits import training_digits
from cortado.device.device import DeviceOptions, device_types
from cortado.engines.winograd import Winograd
from cortado.executor.executor import Executor
from cortado.executor.mixed_pipeline import MixedPipeline
from cortado.executor.straight_through import fpga_training, put_on_device
from cortado.frontends.model import load_model
from cortado.frontends.solver_file import read_solver
from cortado.net.net import Net
from cortado.planner.calibration import Calibration
from cortado.resources import models_root
from cortado.solver.solver import Solver

FOLDER = models_root() / "digits"


@pytest.fixture
def golden():
    with device_types["golden"](DeviceOptions()) as device:
        yield device


@pytest.fixture
def pictures():
    return training_digits()[0][:8]


def test_forward_is_what_the_executor_computes(golden, pictures):
    """The same plan, from the same pictures: every blob that a device made is equal to the bit."""
    pipeline = MixedPipeline(load_model("digits"), batch=8, fields={"m": 4, "pc": 2, "pk": 2})
    made = [pipeline.spec.layer(name).tops[0] for name in pipeline.cut.fpga_layers]
    run = Executor(pipeline.plan(pictures, Calibration()), pipeline.net, golden).run({"data": pictures}, keep=made)
    net = Net(pipeline.spec, pipeline.net.weights())
    put_on_device(net, pipeline.cut, golden)
    inputs = {"data": torch.from_numpy(pictures)}
    with torch.no_grad():
        first, second = net(inputs), net(inputs)
    for blob in made:
        scale = run.plan.scales[blob]
        np.testing.assert_array_equal(np.rint(second[blob].numpy() / scale), np.rint(run.values[blob] / scale))
        # The first pass, which finds the ranges, is in float.
        assert not torch.equal(first[blob], second[blob])
    np.testing.assert_allclose(second["prob"].numpy(), run.values["prob"], rtol=1e-5)


def test_backward_is_that_of_the_float_layer_at_the_same_bottom(golden, pictures):
    pipeline = MixedPipeline(load_model("digits"), batch=8, fields={"m": 4, "pc": 2, "pk": 2})
    net, plain = (Net(pipeline.spec, pipeline.net.weights()) for _ in range(2))
    put_on_device(net, pipeline.cut, golden)
    with torch.no_grad():
        net({"data": torch.from_numpy(pictures)})
    name = pipeline.cut.fpga_layers[1]
    bottom = torch.from_numpy(np.maximum(np.random.default_rng(1).standard_normal((8, 16, 8, 8)), 0).astype(np.float32))
    gradient = torch.from_numpy(np.random.default_rng(2).standard_normal((8, 16, 8, 8)).astype(np.float32))
    gradients = []
    for each in (net, plain):
        x = bottom.clone().requires_grad_()
        stage = each.stage(name)
        stage(x)[0].backward(gradient)
        gradients.append([x.grad, *(blob.grad for blob in stage.layer.blobs)])
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_restored_training_is_equal_to_the_bit(golden, tmp_path):
    """Scales and the time of the next calibration are part of a snapshot."""
    file = read_solver(FOLDER / "solver.prototxt")
    file = replace(file, tests=(), spec=replace(file.spec, test_iter=(), test_interval=0, max_iter=3, snapshot=2,
                                                snapshot_prefix=str(tmp_path / "s"), snapshot_after_train=False))
    file, cut = fpga_training(file, Winograd.from_fields({"m": 4, "pc": 2, "pk": 2}))
    assert cut.fpga_layers == ("conv1_1", "conv1_2", "conv2_1", "conv2_2")
    whole, again = Solver(file), Solver(file)
    for solver in (whole, again):
        put_on_device(solver.net, cut, golden, every=2)
    whole.solve()
    again.restore(tmp_path / "s_iter_2.solverstate")
    again.solve()
    for name, blobs in whole.net.weights().items():
        for blob, other in zip(blobs, again.net.weights()[name], strict=True):
            np.testing.assert_array_equal(blob, other)


@pytest.mark.slow
def test_a_network_trained_so_loses_nothing_by_quantisation(tmp_path):
    solver = tmp_path / "solver.prototxt"
    solver.write_text(f'net: "{FOLDER}/digits.prototxt" type: "Adam" base_lr: 0.001 momentum: 0.9 lr_policy: "poly" '
                      'power: 1 max_iter: 150 random_seed: 1 snapshot_prefix: "s"')

    def cortado(*arguments):
        return json.loads(subprocess.run([sys.executable, "-m", "cortado", *arguments, "--json"], cwd=tmp_path,
                                         check=True, capture_output=True, text=True).stdout)

    cortado("train", "--solver", str(solver), "--fpga-device", "golden", "--engine", "m=4,pc=2,pk=2")
    accuracy = cortado("run", "--weights", "s_iter_150.caffemodel", "--device", "golden")["accuracy"]
    assert accuracy["mixed"] >= accuracy["reference"] > 0.85
