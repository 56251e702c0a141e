from __future__ import annotations

import math

import numpy as np
import pytest
import torch

MARKS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])


@pytest.mark.parametrize("static", [False, True])
def test_equals_a_loop_and_goes_on_where_it_was(make_spec, make_layer, top_dims, fill, rng, static):
    spec = make_spec("RNN", bottoms=3 if static else 2, num_output=2)
    bottoms = ((3, 2, 4), (3, 2), (2, 5))[:2 + static]
    layer = make_layer(spec, *bottoms)
    blobs = [rng.standard_normal(tuple(blob.shape)) for blob in layer.blobs]
    fill(layer, *blobs)
    weight, bias, *between, recurrent, out, out_bias = blobs
    assert [blob.shape for blob in blobs] == [(2, 4), (2,), *([(2, 5)] if static else []), (2, 2), (2, 2), (2,)]
    assert top_dims(spec, *bottoms) == [(3, 2, 2)]
    hidden = np.zeros((2, 2))
    for marks in (MARKS, np.ones((3, 2))):
        x, extra = rng.standard_normal((3, 2, 4)), rng.standard_normal((2, 5))
        expected = []
        for step, mark in zip(x, marks, strict=True):
            hidden = np.array([[math.tanh(
                bias[d] + weight[d] @ step[n] + mark[n] * (recurrent[d] @ hidden[n])
                + (between[0][d] @ extra[n] if static else 0)) for d in range(2)] for n in range(2)])
            expected.append([[math.tanh(out_bias[d] + out[d] @ hidden[n]) for d in range(2)] for n in range(2)])
        y, = layer(*map(torch.from_numpy, (x, marks, extra)[:2 + static]))
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-10)


def test_gradient(make_spec, make_layer, fill, rng):
    layer = make_layer(make_spec("RNN", bottoms=2, num_output=2), (3, 2, 2), (3, 2))
    fill(layer, *(rng.standard_normal(tuple(blob.shape)) for blob in layer.blobs))
    x = torch.from_numpy(rng.standard_normal((3, 2, 2))).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, *blobs: layer(x, torch.from_numpy(MARKS)), (x, *layer.blobs))
