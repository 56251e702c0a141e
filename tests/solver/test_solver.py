from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cortado.errors import GraphError, ModelFileError, WeightsError
from cortado.frontends.caffemodel import read_caffemodel, write_caffemodel
from cortado.graph.solver_spec import SolverSpec
from cortado.solver.event import Displayed, Scored, SnapshotWritten
from cortado.solver.solver import Solver

RULES = {"SGD": "momentum: 0.9", "Nesterov": "momentum: 0.9", "AdaGrad": "", "RMSProp": "rms_decay: 0.9",
         "AdaDelta": "momentum: 0.9 delta: 1e-6", "Adam": "momentum: 0.9 momentum2: 0.99"}


def equal(one, two):
    return all(np.array_equal(a, b) for name in one for a, b in zip(one[name], two[name], strict=True))


@pytest.mark.parametrize("rule", RULES)
def test_interrupted_and_restored_training_is_equal_to_the_bit(write_solver, rule):
    """Restored at every iteration, beside one that runs through: with tests, shuffled and warped data, dropout,
    momentum and a rate that changes.
    """
    file = write_solver(f'type: "{rule}" {RULES[rule]} max_iter: 6 display: 2 average_loss: 3 test_iter: 1 '
                        'test_interval: 2 weight_decay: 0.01 lr_policy: "step" gamma: 0.5 stepsize: 2 snapshot: 1 '
                        'iter_size: 2', begin=SOLVER_WITHOUT_POLICY)
    whole_told, told = [], []
    whole = Solver(file, listeners=(whole_told.append,))
    whole.solve()
    # The rules differ in what they keep; where training is interrupted matters as much to each of them.
    for iteration in range(1, 6) if rule == "Adam" else (3,):
        # Random numbers of others in between must not matter.
        torch.manual_seed(iteration)
        np.random.seed(iteration)
        told.clear()
        restored = Solver(file, listeners=(told.append,))
        restored.restore(f"{whole.prefix}_iter_{iteration}.solverstate")
        restored.solve()
        assert equal(restored.net.weights(), whole.net.weights()), iteration
        later = [event for event in whole_told if event.iteration >= iteration and not (
            isinstance(event, SnapshotWritten) and event.iteration == iteration)]
        assert [figures(event) for event in told] == [figures(event) for event in later]


SOLVER_WITHOUT_POLICY = 'net: "net.prototxt" random_seed: 3 base_lr: 0.01 '


def figures(event):
    """What an event says, without the time it took."""
    if isinstance(event, Displayed):
        return event.iteration, event.loss, event.rate, {name: v.tolist() for name, v in event.outputs.items()}
    if isinstance(event, Scored):
        return event.iteration, event.network, {name: v.tolist() for name, v in event.scores.outputs.items()}
    return event.iteration, event.path


def test_a_stopped_training_writes_a_snapshot_and_goes_on(write_solver):
    file = write_solver("max_iter: 5 snapshot_after_train: true", begin=SOLVER_WITHOUT_POLICY)
    whole = Solver(file)
    whole.solve()
    stopped = Solver(file)
    asked = iter([False, True])
    stopped.solve(should_stop=lambda: next(asked))
    assert stopped.iteration == 2
    restored = Solver(file)
    restored.restore(f"{stopped.prefix}_iter_2.solverstate")
    restored.solve()
    assert equal(restored.net.weights(), whole.net.weights())


def test_a_snapshot_in_hdf5_goes_on_to_the_bit(write_solver, tmp_path):
    file = write_solver("max_iter: 4 snapshot: 2 snapshot_format: HDF5 momentum: 0.9")
    whole = Solver(file)
    whole.solve()
    restored = Solver(file)
    restored.restore(tmp_path / "s_iter_2.solverstate.h5")
    restored.solve()
    assert equal(restored.net.weights(), whole.net.weights())
    assert equal(read_caffemodel(tmp_path / "s_iter_4.caffemodel.h5"), whole.net.weights())


def test_one_seed_is_one_training(write_solver):
    file = write_solver("max_iter: 3")
    one, two = Solver(file), Solver(file)
    one.solve()
    two.solve()
    assert equal(one.net.weights(), two.net.weights())
    other = Solver(write_solver("max_iter: 3", begin='net: "net.prototxt" base_lr: 0.01 snapshot_after_train: false'),
                   seed=4)
    assert other.seed == 4
    assert not equal(one.net.weights(), other.net.weights())


@pytest.fixture
def linear(write_solver) -> Callable[..., Solver]:
    """A solver of half the squared distance of 2 w and b from 1 on constant data, whose gradients are known."""

    def make(fields: str) -> Solver:
        return Solver(write_solver(fields, network="""
            name: "linear"
            layer { name: "data" type: "DummyData" top: "data" top: "target" dummy_data_param {
                    shape { dim: 1 dim: 1 } data_filler { value: 2 } data_filler { value: 1 } } }
            layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" param { lr_mult: 1 }
                    param { lr_mult: 0 } inner_product_param { num_output: 1 weight_filler { value: 3 } } }
            layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "target" top: "loss" }
            """, begin='net: "net.prototxt" base_lr: 0.1 random_seed: 1 snapshot_after_train: false'))

    return make


def test_by_hand(linear):
    """y = 2 w, loss (y - 1)**2 / 2, gradient 2 (2 w - 1): w 3 -> 3 - 0.1 * 10 = 2 -> 2 - (0.1 * 6 + 0.5 * 1) = 0.9."""
    told = []
    solver = linear("max_iter: 2 momentum: 0.5 display: 1")
    solver._listeners = (told.append,)
    solver.solve()
    weight, bias = solver.net.weights()["ip"]
    np.testing.assert_allclose(weight, [[0.9]], rtol=1e-6)
    # lr_mult 0: it stays, whatever its gradient.
    np.testing.assert_array_equal(bias, [0])
    assert [event.loss for event in told] == pytest.approx([12.5, 4.5, 0.32])
    assert [event.rate for event in told] == [0.1, 0.1, None]


def test_accumulated_gradients_are_those_of_the_whole_batch(linear):
    one, four = linear("max_iter: 3 momentum: 0.9"), linear("max_iter: 3 momentum: 0.9 iter_size: 4")
    one.solve()
    four.solve()
    np.testing.assert_allclose(four.net.weights()["ip"][0], one.net.weights()["ip"][0], rtol=1e-6)


@pytest.mark.parametrize(("average", "expected"), [(1, [12.5, 4.5]), (2, [12.5, 8.5])])
def test_average_loss(linear, average, expected):
    told = []
    solver = linear(f"max_iter: 2 momentum: 0.5 display: 1 average_loss: {average}")
    solver._listeners = (told.append,)
    solver.step(2)
    assert [event.loss for event in told] == pytest.approx(expected)


@pytest.mark.parametrize(("fields", "expected"), [
    ("test_interval: 2", [0, 2, 4]),
    ("test_interval: 2 test_initialization: false", [2, 4]),
    ("test_interval: 3", [0, 3]),
])
def test_when_it_is_tested(write_solver, fields, expected):
    told = []
    Solver(write_solver(f"max_iter: 4 test_iter: 1 {fields}"), listeners=(told.append,)).solve()
    assert [event.iteration for event in told if isinstance(event, Scored)] == expected


@pytest.mark.parametrize(("fields", "expected"), [
    ("snapshot: 2", [2, 4]),
    ("snapshot: 2 snapshot_after_train: true", [2, 4, 5]),
    ("snapshot: 5 snapshot_after_train: true", [5]),
    ("", []),
])
def test_when_snapshots_are_written(write_solver, fields, expected):
    told = []
    after = "" if "snapshot_after_train" in fields else "snapshot_after_train: false"
    Solver(write_solver(f"max_iter: 5 {fields} {after}", begin=SOLVER_WITHOUT_POLICY), listeners=(told.append,)).solve()
    assert [event.iteration for event in told if isinstance(event, SnapshotWritten)] == expected


def test_the_test_network_has_the_trained_weights(write_solver):
    solver = Solver(write_solver("max_iter: 3 test_iter: 1 test_interval: 10"))
    solver.solve()
    assert equal(solver.tests[0].weights(), solver.net.weights())


def test_begins_with_given_weights(write_solver, tmp_path, rng):
    solver = Solver(write_solver("max_iter: 1"))
    weight = rng.standard_normal((4, 1, 3, 3)).astype(np.float32)
    write_caffemodel(tmp_path / "w.caffemodel", "n", {"conv": ("Convolution", (weight, np.ones(4, np.float32))),
                                                      "elsewhere": ("InnerProduct", (np.ones((2, 2), np.float32),))})
    before = solver.net.weights()["score"]
    assert solver.copy_from(read_caffemodel(tmp_path / "w.caffemodel")) == ("conv",)
    np.testing.assert_array_equal(solver.net.weights()["conv"][0], weight)
    np.testing.assert_array_equal(solver.net.weights()["score"][0], before[0])
    named = Solver(write_solver(f'max_iter: 1 weights: "{tmp_path}/w.caffemodel"'))
    assert named.copy_named_weights() == ("conv",)


def test_weights_of_nothing_that_is_here(write_solver):
    with pytest.raises(WeightsError) as caught:
        Solver(write_solver()).copy_from({"x": (np.ones(1, np.float32),)})
    assert str(caught.value) == "the weights must have at least one layer of network 'small', they have x ..."


INPUT = """
layer { name: "d" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 1 } }
"""


@pytest.mark.parametrize(("network", "message"), [
    (INPUT, ("network '': its data must come from layers of its own to be trained, but 'data' is an input; give it "
             "data layers in phase TRAIN")),
    (INPUT.replace("Input", "DummyData").replace("input_param", "dummy_data_param"),
     "network '': it must have a loss in phase TRAIN to be trained"),
])
def test_networks_that_cannot_be_trained(write_solver, network, message):
    with pytest.raises(GraphError) as caught:
        Solver(write_solver(network=network))
    assert str(caught.value) == message


def test_an_unknown_rule(write_solver):
    with pytest.raises(ModelFileError, match=r"solver: unknown solver type 'Adamm'; did you mean 'Adam'\?"):
        Solver(write_solver('type: "Adamm"'))


def test_a_snapshot_of_another_network(write_solver, tmp_path):
    solver = Solver(write_solver("max_iter: 1 snapshot: 1"))
    solver.solve()
    file = write_solver("max_iter: 1 test_iter: 1 test_interval: 1")
    with pytest.raises(WeightsError) as caught:
        Solver(file).restore(f"{solver.prefix}_iter_1.solverstate")
    assert str(caught.value) == (
        f"'{tmp_path}/s_iter_1.solverstate': the snapshot must be of these networks in 1 processes; it is of 1 and "
        "lacks test0/stages.0.layers.0.order, test0/stages.0.layers.0.position")


def test_where_nothing_can_be_written_is_said_first(write_solver):
    file = write_solver()
    solver = Solver(type(file)(spec=SolverSpec(random_seed=1, max_iter=1, snapshot_prefix="/proc/none/s"),
                               training=file.training, tests=(), path=file.path))
    with pytest.raises(ModelFileError, match=r"^/proc/none: it must be a folder that can be written to: "):
        solver.solve()
    assert solver.iteration == 0
