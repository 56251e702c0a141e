"""Every update rule against Caffe's formulas written anew in NumPy, over several steps with a changing rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from cortado.errors import WeightsError
from cortado.graph.solver_spec import SolverSpec
from cortado.net.net import TrainedBlob
from cortado.solver.update_rule import update_rules

RATES = (0.1, 0.1, 0.03, 0.01)
SHAPES = ((3, 2), (4,))
LR_MULT, DECAY_MULT = (1.0, 2.0), (1.0, 0.5)


def naive(rule, spec, weights, gradients):
    """Weights after each step, value by value: `sgd_solver.cpp` and its neighbours, in float64."""
    blobs = [[{"w": float(w), "a": 0.0, "b": 0.0} for w in weight.reshape(-1)] for weight in weights]
    after = []
    for iteration, (rate, step) in enumerate(zip(RATES, gradients, strict=True)):
        values = [[float(g) for g in blob.reshape(-1)] for blob in step]
        length = math.sqrt(sum(g * g for blob in values for g in blob))
        clip = spec.clip_gradients / length if 0 <= spec.clip_gradients < length else 1.0
        for place, blob in enumerate(values):
            decay, local = spec.weight_decay * DECAY_MULT[place], rate * LR_MULT[place]
            for cell, g in zip(blobs[place], blob, strict=True):
                g = g * clip / spec.iter_size
                if spec.regularization_type == "L2":
                    g += decay * cell["w"]
                else:
                    g += decay * ((cell["w"] > 0) - (cell["w"] < 0))
                cell["w"] -= STEPS[rule](spec, cell, g, local, iteration)
        after.append([np.array([cell["w"] for cell in blob]) for blob in blobs])
    return after


def sgd(spec, cell, g, rate, iteration):
    cell["a"] = rate * g + spec.momentum * cell["a"]
    return cell["a"]


def nesterov(spec, cell, g, rate, iteration):
    old = cell["a"]
    cell["a"] = rate * g + spec.momentum * old
    return (1 + spec.momentum) * cell["a"] - spec.momentum * old


def adagrad(spec, cell, g, rate, iteration):
    cell["a"] += g * g
    return rate * g / (math.sqrt(cell["a"]) + spec.delta)


def rmsprop(spec, cell, g, rate, iteration):
    cell["a"] = (1 - spec.rms_decay) * g * g + spec.rms_decay * cell["a"]
    return rate * g / (math.sqrt(cell["a"]) + spec.delta)


def adadelta(spec, cell, g, rate, iteration):
    cell["a"] = (1 - spec.momentum) * g * g + spec.momentum * cell["a"]
    step = math.sqrt((spec.delta + cell["b"]) / (spec.delta + cell["a"])) * g
    cell["b"] = (1 - spec.momentum) * step * step + spec.momentum * cell["b"]
    return rate * step


def adam(spec, cell, g, rate, iteration):
    cell["a"] = (1 - spec.momentum) * g + spec.momentum * cell["a"]
    cell["b"] = (1 - spec.momentum2) * g * g + spec.momentum2 * cell["b"]
    t = iteration + 1
    correction = math.sqrt(1 - spec.momentum2**t) / (1 - spec.momentum**t)
    return rate * correction * cell["a"] / (math.sqrt(cell["b"]) + spec.delta)


STEPS = {"SGD": sgd, "Nesterov": nesterov, "AdaGrad": adagrad, "RMSProp": rmsprop, "AdaDelta": adadelta, "Adam": adam}
OPTIONS = {
    "SGD": {"momentum": 0.9}, "Nesterov": {"momentum": 0.9}, "AdaGrad": {"delta": 1e-3},
    "RMSProp": {"rms_decay": 0.8, "delta": 1e-3}, "AdaDelta": {"momentum": 0.9, "delta": 1e-4},
    "Adam": {"momentum": 0.8, "momentum2": 0.95, "delta": 1e-3},
}


def trained(weights):
    return [TrainedBlob(layer="l", index=index, value=nn.Parameter(torch.from_numpy(weight.copy())),
                        lr_mult=LR_MULT[index], decay_mult=DECAY_MULT[index]) for index, weight in enumerate(weights)]


@pytest.mark.parametrize("rule", STEPS)
@pytest.mark.parametrize("more", [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "regularization_type": "L1"},
                                  {"clip_gradients": 0.5},
                                  {"iter_size": 4, "weight_decay": 0.1, "clip_gradients": 3.0}],
                         ids=["plain", "L2", "L1", "clipped", "all"])
def test_equals_caffes_formulas(rng, rule, more):
    spec = SolverSpec(type=rule, **OPTIONS[rule], **more)
    weights = [rng.standard_normal(shape) for shape in SHAPES]
    gradients = [[rng.standard_normal(shape) for shape in SHAPES] for _ in RATES]
    blobs = trained(weights)
    optimizer = update_rules[rule](blobs, spec)
    for rate, step, expected in zip(RATES, gradients, naive(rule, spec, weights, gradients), strict=True):
        for blob, gradient in zip(blobs, step, strict=True):
            blob.value.grad = torch.from_numpy(gradient)
        optimizer.set_rate(rate)
        optimizer.step()
        for blob, value in zip(blobs, expected, strict=True):
            np.testing.assert_allclose(blob.value.detach().numpy().reshape(-1), value, rtol=1e-12, atol=1e-14)


def test_a_sparse_gradient_is_as_it_written_out(rng):
    """Rows that several lookups of one table have in common are added."""
    table = rng.standard_normal((6, 3))
    found = []
    for sparse in (True, False):
        blob = TrainedBlob(layer="l", index=0, value=nn.Parameter(torch.from_numpy(table.copy())), lr_mult=1,
                           decay_mult=1)
        optimizer = update_rules["AdaGrad"]([blob], SolverSpec(base_lr=0.1, delta=1e-8, weight_decay=0.1,
                                                               clip_gradients=1))
        for rows in ([0, 2, 2], [5, 0]):
            optimizer.zero_grad()
            looked_up = [nn.functional.embedding(torch.tensor(numbers), blob.value, sparse=sparse)
                         for numbers in (rows, rows[:2])]
            sum(vectors.square().sum() for vectors in looked_up).backward()
            assert blob.value.grad.is_sparse == sparse
            optimizer.step()
        found.append(blob.value.detach())
    torch.testing.assert_close(*found)


def test_every_rule_is_here():
    # L-BFGS has a file of tests of its own.
    assert set(update_rules) == {*STEPS, "LBFGS"}


@pytest.mark.parametrize("rule", STEPS)
def test_goes_on_from_its_history(rng, rule):
    """Two steps, then history and weights into a new optimiser, are as the third step of one."""
    spec = SolverSpec(type=rule, base_lr=0.1, **OPTIONS[rule])
    weights = [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]
    gradients = [[rng.standard_normal(shape).astype(np.float32) for shape in SHAPES] for _ in range(3)]

    def step(optimizer, blobs, gradient):
        for blob, value in zip(blobs, gradient, strict=True):
            blob.value.grad = torch.from_numpy(value)
        optimizer.step()

    blobs = trained(weights)
    optimizer = update_rules[rule](blobs, spec)
    for gradient in gradients[:2]:
        step(optimizer, blobs, gradient)
    again = trained([blob.value.detach().numpy() for blob in blobs])
    other = update_rules[rule](again, spec)
    other.restore(optimizer.history, 2)
    step(optimizer, blobs, gradients[2])
    step(other, again, gradients[2])
    for one, two in zip(blobs, again, strict=True):
        assert torch.equal(one.value, two.value)


def test_a_torch_user_gives_a_closure_and_saves_its_state(rng):
    blobs = trained([rng.standard_normal(shape) for shape in SHAPES])
    optimizer = update_rules["SGD"](blobs, SolverSpec(base_lr=0.1, momentum=0.9))

    def closure():
        optimizer.zero_grad()
        loss = sum(blob.value.square().sum() for blob in blobs)
        loss.backward()
        return loss

    first, second = (optimizer.step(closure).item() for _ in range(2))
    assert second < first
    other = update_rules["SGD"](blobs, SolverSpec(base_lr=0.1, momentum=0.9))
    other.load_state_dict(optimizer.state_dict())
    assert all(np.array_equal(a, b) for a, b in zip(other.history, optimizer.history, strict=True))


@pytest.mark.parametrize(("history", "message"), [
    ([np.zeros(6)], "the solver state must have 2 arrays for type SGD and 2 trained blobs, not 1"),
    ([np.zeros(6), np.zeros(3)],
     "array 1 of the solver state must have the 4 values of the network's blob, not 3"),
])
def test_a_history_of_another_network(rng, history, message):
    optimizer = update_rules["SGD"](trained([rng.standard_normal(shape) for shape in SHAPES]), SolverSpec())
    with pytest.raises(WeightsError) as caught:
        optimizer.restore(history, 1)
    assert str(caught.value) == message
