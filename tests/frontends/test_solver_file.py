from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from cortado.errors import CortadoError, FieldError, ModelFileError
from cortado.frontends.solver_file import parse_solver, read_solver
from cortado.graph.solver_spec import Precision, SnapshotFormat, SolverMode, SolverSpec

DATA = 'layer { name: "d" type: "DummyData" top: "d" dummy_data_param { shape { dim: 1 dim: 2 } } %s }\n'
NET = 'name: "%s" ' + DATA % "" + (DATA % 'include { stage: "extra" }').replace('"d"', '"e"')


@pytest.fixture
def solver(tmp_path):
    """Reads a solver file beside a network `net.prototxt`."""
    (tmp_path / "net.prototxt").write_text(NET % "beside")
    return lambda text: parse_solver(text, tmp_path / "solver.prototxt")


def test_fields_and_defaults(solver):
    file = solver('net: "net.prototxt" base_lr: 0.1 lr_policy: "step" gamma: 0.5 stepsize: 3 max_iter: 9 type: "Adam" '
                  "solver_mode: GPU snapshot_format: HDF5 stepvalue: 1 stepvalue: 4")
    assert file.spec == SolverSpec(base_lr=0.1, lr_policy="step", gamma=0.5, stepsize=3, max_iter=9, type="Adam",
                                   solver_mode=SolverMode.GPU, snapshot_format=SnapshotFormat.HDF5, stepvalue=(1, 4))
    assert (file.training.name, file.training.phase, file.tests) == ("beside", "TRAIN", ())


@pytest.mark.parametrize(("old", "name"), [("SGD", "SGD"), ("NESTEROV", "Nesterov"), ("ADAGRAD", "AdaGrad"),
                                           ("RMSPROP", "RMSProp"), ("ADADELTA", "AdaDelta"), ("ADAM", "Adam"),
                                           ("5", "Adam")])
def test_the_older_spelling_of_type(solver, old, name):
    assert solver(f'net: "net.prototxt" solver_type: {old}').spec.rule == name


def names(net):
    return [layer.name for layer in net.layers]


def test_states_choose_layers(solver):
    file = solver('net: "net.prototxt" train_state { stage: "extra" } test_iter: 1 test_iter: 2 test_interval: 1 '
                  'test_state { } test_state { stage: "extra" }')
    assert names(file.training) == ["d", "e"]
    assert [names(net) for net in file.tests] == [["d"], ["d", "e"]]
    assert [net.phase for net in file.tests] == ["TEST", "TEST"]


def test_test_networks_of_their_own_come_before_the_trained_one(solver, tmp_path):
    (tmp_path / "other.prototxt").write_text(NET % "other")
    file = solver('net: "net.prototxt" test_iter: [1, 2, 3] test_interval: 1 test_net: "other.prototxt" '
                  'test_net_param { name: "inline" ' + DATA % "" + "}")
    assert [net.name for net in file.tests] == ["inline", "other", "beside"]


def test_a_network_inside(solver):
    file = solver('net_param { name: "inside" ' + DATA % "" + "} test_iter: 1 test_interval: 1")
    assert (file.training.name, file.tests[0].name) == ("inside", "inside")


def test_a_network_in_a_folder_above(tmp_path):
    """As in Caffe's checkout, which its files expect to be the working folder."""
    folder = tmp_path / "examples" / "mnist"
    folder.mkdir(parents=True)
    (folder / "net.prototxt").write_text(NET % "n")
    (folder / "solver.prototxt").write_text('net: "examples/mnist/net.prototxt"')
    assert read_solver(folder / "solver.prototxt", stages=("extra",)).training.name == "n"


ONE_OF = "solver: the training network must be given by one of net, net_param, train_net, train_net_param, not by "
NOWHERE = ("solver: field 'net' must name a network file, there is no 'no.prototxt' here nor in the folders from the "
           "solver's upwards")


@pytest.mark.parametrize(("text", "message"), [
    ("base_lr: 1", f"1:1: {ONE_OF}0 of them"),
    ('net: "net.prototxt" train_net: "net.prototxt"', f"1:21: {ONE_OF}2 of them"),
    ('net: "no.prototxt"', f"1:6: {NOWHERE}"),
    ('train_net: "net.prototxt" test_iter: 1 test_interval: 1',
     "1:27: solver: test_iter must be given once for each test network, 1 are given for 0"),
    ('net: "net.prototxt" test_iter: 1 test_interval: 1 test_state { } test_state { }',
     "1:51: solver: test_state must be given once for each test network or not at all, 2 are given for 1"),
    ('net: "net.prototxt" lr_policy: "steps"',
     "1:21: solver: lr_policy must be one of fixed, step, exp, inv, multistep, poly, sigmoid, not 'steps'"),
    ('net: "net.prototxt" lr_policy: "step"', "1:1: solver: stepsize must be at least 1 for lr_policy step, not 0"),
    ('net: "net.prototxt" stepvalue: [4, 4]',
     "1:21: solver: stepvalue must grow from one to the next, 4 is not above 4"),
    ('net: "net.prototxt" type: "AdaGrad" momentum: 0.9',
     "1:37: solver: momentum must be 0 for AdaGrad, which has none, not 0.9"),
    ('net: "net.prototxt" momentum: 1', "1:21: solver: momentum must be at least 0 and below 1, not 1.0"),
    ('net: "net.prototxt" test_iter: 1', "1:1: solver: test_interval must be above 0 where test_iter is given, not 0"),
    ('net: "net.prototxt" iter_size: 0', "1:21: solver: iter_size must be at least 1, not 0"),
    ('net: "net.prototxt" max_iter: -1', "1:21: solver: max_iter must be at least 0, not -1"),
    ('net: "net.prototxt" regularization_type: "L3"',
     "1:21: solver: regularization_type must be one of L2, L1, not 'L3'"),
    ('net: "net.prototxt" snapshot_diff: true',
     "1:21: solver: snapshot_diff must be false; gradients are not written into snapshots"),
    ('net: "net.prototxt" debug_info: true',
     "1:21: solver: debug_info must be false; per-layer logs of values are not written"),
    ('net: "net.prototxt" type: "Adam" solver_type: SGD',
     "1:34: solver: solver_type is the older spelling of type and must agree with 'Adam', not be SGD"),
])
def test_refusals(solver, tmp_path, text, message):
    with pytest.raises(ModelFileError) as caught:
        solver(text)
    assert str(caught.value) == f"{tmp_path}/solver.prototxt:{message}"


def test_an_unknown_field_says_what_is_meant(solver):
    with pytest.raises(ModelFileError, match=r"solver: unknown field 'base_rl'; did you mean 'base_lr'\?"):
        solver('net: "net.prototxt" base_rl: 1')


def test_values_are_values():
    """A spec can be changed only into another one that is checked."""
    with pytest.raises(CortadoError, match=r"^stepsize must be at least 1"):
        replace(SolverSpec(), lr_policy="step")
    assert Counter([SolverSpec(), SolverSpec()]) == {SolverSpec(): 2}


def test_other_fields_and_other_parameters(solver):
    file = solver('net: "net.prototxt" base_lr: 0.1 train_state { stage: "extra" } test_iter: 1 test_interval: 1')
    assert file.with_fields(base_lr=0.2).spec == replace(file.spec, base_lr=0.2)
    with pytest.raises(FieldError, match=r"^max_iter must be at least 0, not -1$"):
        file.with_fields(max_iter=-1)
    other = file.with_parameters("d", num=(7,), shape=(), channels=(1,), height=(1,), width=(1,))
    for net in (other.training, *other.tests):
        assert net.layer("d").parameters.num == (7,)
    # 'e' is in the training network only.
    only = file.with_parameters("e", shape=())
    assert only.training.layer("e").parameters.shape == ()
    assert (only.tests, only.training.layer("d")) == (file.tests, file.training.layer("d"))
    with pytest.raises(LookupError, match=r"^network 'beside' has no layer 'f' \(it has: d, e\)$"):
        file.with_parameters("f", shape=())


def test_precision_and_tolerance(solver):
    spec = solver('net: "net.prototxt" precision: DOUBLE tolerance: 1e-5').spec
    assert (spec.precision, spec.tolerance) == (Precision.DOUBLE, 1e-5)
