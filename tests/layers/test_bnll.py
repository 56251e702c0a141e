from __future__ import annotations

import math

import numpy as np
import torch


def test_equals_a_loop(make_spec, make_layer, top_dims, rng):
    spec = make_spec("BNLL")
    x = 3 * rng.standard_normal((2, 5))
    y, = make_layer(spec, (2, 5))(torch.from_numpy(x))
    expected = [[math.log(1 + math.exp(v)) for v in row] for row in x.tolist()]
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)
    assert top_dims(spec, (2, 5)) == [(2, 5)]


def test_far_from_zero(make_spec, make_layer):
    """Where an exponential alone would overflow it is 0 on the left and x on the right."""
    y, = make_layer(make_spec("BNLL"), (2,))(torch.tensor([-1e4, 1e4]))
    assert y.tolist() == [0, 1e4]


def test_gradient(make_spec, make_layer, gradients_are_right, rng):
    assert gradients_are_right(make_layer(make_spec("BNLL"), (2, 3)), rng.standard_normal((2, 3)))
