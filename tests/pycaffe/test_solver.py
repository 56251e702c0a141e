from __future__ import annotations

import sys

import numpy as np
import pytest

import cortado.pycaffe as caffe
from cortado.errors import ModelFileError

NETWORK = """
name: "n"
layer { name: "d" type: "Dataset" top: "data" top: "label"
        dataset_param { name: "digits" part: TRAINING batch_size: 32 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
"""
SOLVER = """
net: "net.prototxt" base_lr: 0.5 momentum: 0.9 random_seed: 1 max_iter: 20 test_iter: 1 test_interval: 100
snapshot_after_train: false type: "Nesterov"
"""


@pytest.fixture
def solver_file(tmp_path):
    (tmp_path / "net.prototxt").write_text(NETWORK)
    (tmp_path / "solver.prototxt").write_text(SOLVER + f'snapshot_prefix: "{tmp_path}/s"')
    return str(tmp_path / "solver.prototxt")


def test_a_loop_as_in_the_notebooks(solver_file, tmp_path):
    solver = caffe.NesterovSolver(solver_file)
    losses = []
    for _ in range(20):
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
    assert solver.iter == 20
    assert losses[-1] < 0.5 * losses[0]
    assert solver.net.params["ip"][0].diff.any()
    solver.test_nets[0].forward()
    assert float(solver.test_nets[0].blobs["accuracy"].data) > 0.5
    solver.snapshot()
    again = caffe.get_solver(solver_file)
    again.restore(str(tmp_path / "s_iter_20.solverstate"))
    solver.step(1)
    again.step(1)
    np.testing.assert_array_equal(again.net.params["ip"][0].data, solver.net.params["ip"][0].data)


def test_solve(solver_file):
    solver = caffe.get_solver(solver_file)
    solver.solve()
    assert solver.iter == 20


def test_another_type(solver_file):
    with pytest.raises(ModelFileError) as caught:
        caffe.AdamSolver(solver_file)
    assert str(caught.value) == (f"{solver_file}: solver: type must be Adam for AdamSolver, not Nesterov; get_solver "
                                 "takes any")


def test_layers_in_python_get_the_whole_of_it(tmp_path, monkeypatch):
    """A user's file may use more of caffe than its Layer."""
    (tmp_path / "more.py").write_text("""
import caffe
from caffe import layers as L, params as P


class Doubled(caffe.Layer):
    def setup(self, bottom, top):
        self.rule = P.Pooling.AVE

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        import caffe as again
        top[0].data[...] = 2 * bottom[0].data + (again.TEST == self.phase)

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = 2 * top[0].diff
""")
    (tmp_path / "net.prototxt").write_text("""
        input: "a" input_shape { dim: 2 }
        layer { name: "b" type: "Python" bottom: "a" top: "b" python_param { module: "more" layer: "Doubled" } }""")
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST)
    np.testing.assert_array_equal(net.forward(a=np.array([1.0, 3.0]))["b"], [3, 7])
    net.blobs["b"].diff[...] = [1, 10]
    np.testing.assert_array_equal(net.backward()["a"], [2, 20])
    sys.modules.pop("more")
