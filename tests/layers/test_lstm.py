from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cortado.errors import LayerError

# Three steps of two sequences; the second one begins anew at step 1.
MARKS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def naive(x, marks, static, blobs, hidden, cell):
    """Value by value, as `lstm_unit_layer.cpp`: gates in the order i, f, o, g."""
    weight, bias, *between, recurrent = blobs
    size = recurrent.shape[1]
    outputs = []
    for step, mark in zip(x, marks, strict=True):
        rows = []
        for n, values in enumerate(step):
            sums = [bias[r] + weight[r] @ values + mark[n] * (recurrent[r] @ hidden[n]) +
                    (between[0][r] @ static[n] if between else 0) for r in range(4 * size)]
            row = []
            for d in range(size):
                i, f, o = (sigmoid(sums[gate * size + d]) for gate in range(3))
                cell[n][d] = mark[n] * f * cell[n][d] + i * math.tanh(sums[3 * size + d])
                row.append(o * math.tanh(cell[n][d]))
            rows.append(row)
        hidden = np.array(rows)
        outputs.append(hidden)
    return np.array(outputs), hidden, cell


def filled(layer, fill, rng):
    blobs = [rng.standard_normal(tuple(blob.shape)) for blob in layer.blobs]
    fill(layer, *blobs)
    return blobs


@pytest.mark.parametrize("static", [False, True])
def test_equals_a_loop_and_goes_on_where_it_was(make_spec, make_layer, top_dims, fill, rng, static):
    spec = make_spec("LSTM", bottoms=3 if static else 2, num_output=2)
    bottoms = ((3, 2, 4), (3, 2), (2, 5))[:2 + static]
    layer = make_layer(spec, *bottoms)
    blobs = filled(layer, fill, rng)
    assert [blob.shape for blob in blobs] == [(8, 4), (8,), *([(8, 5)] if static else []), (8, 2)]
    assert top_dims(spec, *bottoms) == [(3, 2, 2)]
    hidden, cell = np.zeros((2, 2)), np.zeros((2, 2))
    for marks in (MARKS, np.ones((3, 2)), MARKS):
        x, extra = rng.standard_normal((3, 2, 4)), rng.standard_normal((2, 5))
        expected, hidden, cell = naive(x, marks, extra, blobs, hidden, cell)
        y, = layer(*map(torch.from_numpy, (x, marks, extra)[:2 + static]))
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-10)


def test_states_as_blobs(make_spec, make_layer, top_dims, fill, rng):
    spec = make_spec("LSTM", bottoms=4, tops=3, num_output=2, expose_hidden=True)
    bottoms = ((3, 2, 4), (3, 2), (1, 2, 2), (1, 2, 2))
    layer = make_layer(spec, *bottoms)
    blobs = filled(layer, fill, rng)
    x, hidden, cell = (rng.standard_normal(dims) for dims in (bottoms[0], bottoms[2], bottoms[3]))
    tops = layer(*map(torch.from_numpy, (x, np.ones((3, 2)), hidden, cell)))
    for top, expected in zip(tops, naive(x, np.ones((3, 2)), None, blobs, hidden[0], cell[0].copy()), strict=True):
        np.testing.assert_allclose(top.detach().numpy().reshape(expected.shape), expected, rtol=1e-10)
    assert top_dims(spec, *bottoms) == [(3, 2, 2), (1, 2, 2), (1, 2, 2)]


def test_equals_torch_without_interruption(make_spec, make_layer, fill, rng):
    """torch's gates are in the order i, f, g, o."""
    layer = make_layer(make_spec("LSTM", bottoms=2, num_output=3), (4, 2, 5), (4, 2))
    weight, bias, recurrent = filled(layer, fill, rng)
    order = [*range(6), *range(9, 12), *range(6, 9)]
    theirs = torch.nn.LSTM(5, 3).double()
    with torch.no_grad():
        for name, value in (("weight_ih_l0", weight), ("weight_hh_l0", recurrent), ("bias_ih_l0", bias)):
            getattr(theirs, name).copy_(torch.from_numpy(value[order]))
        theirs.bias_hh_l0.zero_()
    x = torch.from_numpy(rng.standard_normal((4, 2, 5)))
    np.testing.assert_allclose(layer(x, torch.ones(4, 2))[0].detach(), theirs(x)[0].detach(), rtol=1e-10)


def test_another_number_of_sequences_begins_anew(make_spec, make_layer, fill, rng):
    layer = make_layer(make_spec("LSTM", bottoms=2, num_output=2), (2, 3, 4), (2, 3))
    filled(layer, fill, rng)
    x = torch.from_numpy(rng.standard_normal((2, 1, 4)))
    layer(torch.from_numpy(rng.standard_normal((2, 3, 4))), torch.ones(2, 3))
    again, = layer(x, torch.ones(2, 1))
    begun, = layer(x, torch.tensor([[0.0], [1.0]]))
    assert torch.equal(again, begun)


def test_gradient(make_spec, make_layer, fill, rng):
    layer = make_layer(make_spec("LSTM", bottoms=3, num_output=2), (3, 2, 2), (3, 2), (2, 2))
    filled(layer, fill, rng)
    values = [torch.from_numpy(rng.standard_normal(dims)).requires_grad_() for dims in ((3, 2, 2), (2, 2))]
    marks = torch.from_numpy(MARKS)
    assert torch.autograd.gradcheck(lambda x, static, *blobs: layer(x, marks, static), (*values, *layer.blobs))


@pytest.mark.parametrize(("bottoms", "fields", "message"), [
    ([(3, 2, 4), (3, 2)], {"expose_hidden": True}, "LSTM must have 4 or 5 bottoms and 3 tops, not 2 and 1"),
    ([(3, 2), (3, 2)], {}, "bottom 'b0' must be steps of sequences (T, N, ...), not 3x2"),
    ([(3, 2, 4), (2, 3)], {}, "bottom 'b1' must have one mark for each step of each sequence, 3x2, not 2x3"),
    ([(3, 2, 4), (3, 2), (3, 4)], {}, "bottom 'b2' must be values of 2 sequences (N, ...), not 3x4"),
])
def test_bad_bottoms(make_spec, top_dims, bottoms, fields, message):
    with pytest.raises(LayerError) as caught:
        top_dims(make_spec("LSTM", bottoms=len(bottoms), num_output=2, **fields), *bottoms)
    assert str(caught.value) == f"layer 'x': {message}"
